/* SPDX-License-Identifier: MIT */
/* Descriptor tables: which sockets are in one, and which threads share one. */
#pragma once

#include "collect/proc_file.h"
#include "collect/source.h"

/* A search for the holders of sockets in /proc. */
struct fd_search {
    struct collection *collection;
    int proc;          /* descriptor of /proc, borrowed */
    struct map wanted; /* inode -> 0 no holder yet, 1 held */
    uint32_t left;     /* wanted inodes without a holder */
    bool every_socket; /* no socket was listed: each one found is of interest */
    bool may_stop;     /* the request is content with one holder a socket */
};

/* What was found in one table. */
struct fd_table {
    uint32_t pid;
    uint32_t tid;     /* 0: the table of the process; else of this thread */
    uint32_t entries; /* open descriptors */
    uint32_t process; /* index into snapshot.processes, MAP_NONE: holds nothing of interest */
};

/*
 * The inodes of interest are those of the snapshot's sockets. 0 or -ENOMEM; fd_search_done() in
 * either case.
 */
int fd_search_init(struct fd_search *search, struct collection *collection, int proc) MUST_CHECK;
void fd_search_done(struct fd_search *search);

/* True when nothing more has to be found. */
bool fd_search_complete(const struct fd_search *search);

/*
 * Finds the holders in one table (pid and tid are given, the rest is filled in). 0 or -errno;
 * -ENOMEM ends the collection.
 */
int fd_table_search(struct fd_search *search, struct fd_table *table) MUST_CHECK;

/*
 * Adds a process with its name. 0, or -ENOMEM; a process that is gone has no name, which is no
 * error.
 */
int process_add_named(struct snapshot *snapshot, int proc, uint32_t pid, uint32_t *ret_index)
    MUST_CHECK;

/*
 * Threads whose descriptor table is not the one of their process. Several of them may share a
 * table, which then is here once.
 */
struct private_tables {
    uint32_t pid;
    uint32_t *tids; /* owned; one thread for each table, in the order that kcmp(2) gives */
    uint32_t count, capacity;
};

enum table_kind {
    TABLE_SHARED,      /* the table of the process */
    TABLE_PRIVATE,     /* a table not seen before; the thread stands for it now */
    TABLE_PRIVATE_SEEN /* that of an earlier thread with a private one */
};

/*
 * Which table a thread has, by kcmp(KCMP_FILES) (since 3.5; needs the right to ptrace): a
 * table_kind or -errno.
 */
int private_tables_place(struct private_tables *tables, uint32_t tid) MUST_CHECK;
void private_tables_done(struct private_tables *tables);
