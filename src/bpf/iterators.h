/* SPDX-License-Identifier: MIT */
/* BPF iterators: loads and walks them, hands over their records. */
#pragma once

#include "base/cleanup.h"
#include "bpf/record.h"

#include <stddef.h>
#include <stdint.h>

enum iterator_kind {
    ITERATOR_TASK_FILE, /* descriptors of all processes; kernel 5.11 and later */
    ITERATOR_TCP,       /* of one network namespace; kernel 5.9 and later */
    ITERATOR_GLANCE,    /* TCP of all that share the kernel's table; kernel 6.2 and later */
    ITERATOR_UDP,
    ITERATOR_KINDS,
};

/* A loaded program. Nothing of it outlives the process. */
struct iterator {
    enum iterator_kind kind;
    int prog_fd;  /* owned by the skeleton */
    int map_fd;   /* the same; glance: whose elements are walked over; -1: there is none */
    int tasks_fd; /* the same; glance: the walk over processes, for iterator_read() of struct
                     record_task; -1: there is none */
    struct iterator_filter *filter; /* memory shared with the program; set it before each walk.
                                       Owned by the skeleton */
    struct table_counts *counts;    /* the same; glance; else NULL */
    void *skeleton;                 /* owned; NULL when closed, or when somebody else has it */
};

#define ITERATOR_INIT ((struct iterator){.prog_fd = -1, .map_fd = -1, .tasks_fd = -1})

/*
 * A record whole and of a sane size: the parts point into it or are NULL. A negative
 * return ends the walk and is returned by it.
 */
struct record {
    const struct record_head *head;
    const struct record_socket *socket;
    const struct record_owner *owner;
    const struct record_tcp *tcp;
};

typedef int iterator_record_fn(void *context, const struct record *record);

/*
 * Loads one program; takes all sockets until the filter is changed. 0, or -errno as the kernel gave
 * it: -EPERM without CAP_BPF and CAP_PERFMON, -ENOENT or -EINVAL when it has no BTF or is too old.
 */
int iterator_open(enum iterator_kind kind, struct iterator *ret_iterator) MUST_CHECK;
void iterator_close(struct iterator *iterator);

/*
 * One walk, in the network namespace of the calling thread. `pid`: task_file only looks at this
 * process (kernel 6.1 and later, else -EINVAL); 0: at all of them. 0, -errno of the kernel,
 * -EBADMSG for a malformed record, or what `fn` returned.
 */
int iterator_walk(const struct iterator *iterator, uint32_t pid, iterator_record_fn *fn,
                  void *context) MUST_CHECK;

/*
 * Splits `length` bytes into records and calls `fn` for each. *ret_used: the bytes of whole
 * records; the rest is the start of one that is not yet read whole. 0, -EBADMSG, or what `fn`
 * returned. Apart so that it can be tested on bytes.
 */
int record_split(const char *bytes, size_t length, iterator_record_fn *fn, void *context,
                 size_t *ret_used) MUST_CHECK;

/*
 * Takes the whole records among `length` bytes, and says how many bytes they are; the rest comes
 * again with what follows. 0, or -errno, which ends the walk.
 */
typedef int iterator_split_fn(const char *bytes, size_t length, void *context, size_t *ret_used);

/* One walk of any iterator that is loaded; otherwise as iterator_walk(). */
int iterator_read(int prog_fd, uint32_t pid, iterator_split_fn *split, void *context) MUST_CHECK;
