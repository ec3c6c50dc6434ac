/* SPDX-License-Identifier: MIT */
/* Reading /proc relative to a descriptor: directories, small files and the numbers in them. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A directory being read by getdents64(2), without the allocation and the extra calls of
 * opendir(3).
 */
struct proc_dir {
    int fd;            /* owned; proc_dir_close() */
    size_t at, end;    /* of the entries in the buffer */
    uint64_t inode;    /* of the last entry given */
    unsigned int type; /* DT_* of the last entry given */
    _Alignas(8) char buffer[32768];
};

/* Opens `path` relative to `at`. 0 or -errno. */
int proc_dir_open(struct proc_dir *dir, int at, const char *path) MUST_CHECK;
void proc_dir_close(struct proc_dir *dir);

/*
 * Next entry, without "." and "..": 1 and its name (valid until the next call), 0 at the end, or
 * -errno.
 */
int proc_dir_next(struct proc_dir *dir, const char **ret_name) MUST_CHECK;

/* Next entry whose whole name is a decimal number: 1 and the number, 0 at the end, or -errno. */
int proc_dir_next_number(struct proc_dir *dir, uint32_t *ret_number) MUST_CHECK;

/*
 * Reads a file up to its end or until size - 1 bytes are there, and puts a NUL behind them. The
 * result says how much there was, which is size - 1 for a file that may have been cut. 0 or -errno.
 */
int proc_read(int at, const char *path, char *buffer, size_t size, size_t *ret_length) MUST_CHECK;

/*
 * Reads a file up to its end, however large, into memory that the caller frees, with a NUL behind
 * it. 0 or -errno.
 */
int proc_read_all(int at, const char *path, char **ret_text) MUST_CHECK;

/*
 * Reads the decimal number at *text and moves *text behind it. False without a digit or when it is
 * too large.
 */
bool proc_parse_number(const char **text, uint64_t *ret_number);

/* Reads a comm file without the newline that the kernel puts behind the name. 0 or -errno. */
int proc_read_comm(int at, const char *path, char *buffer, size_t size, size_t *ret_length)
    MUST_CHECK;

/* Our pid namespace: in the first one every process of the machine has a pid. */
enum pidns { PIDNS_UNKNOWN, PIDNS_FIRST, PIDNS_INNER };
enum pidns proc_pid_namespace(void);

/* The inode of our pid namespace, in which the kernel is to number processes; 0: the first one, or
 * unknown. */
uint32_t proc_pidns_inode(void);

/*
 * Why a file of a process could not be read. The kernel refuses to follow a link (descriptors,
 * namespaces) of a process that has just ended as it does that of somebody else's: EACCES. This
 * tells them apart, after which `error` is -ESRCH.
 */
int proc_failure(int at, const char *path, int error);

/* The process ended while it was read: normal, and never worth a note. */
static inline bool proc_is_gone(int error)
{
    return error == -ENOENT || error == -ESRCH;
}

/*
 * Takes back what mountinfo does to blank, tab, newline and backslash: a backslash and three octal
 * digits. In place.
 */
void proc_unescape(char *text);

/* A mounted file system, from /proc/self/mountinfo. */
struct proc_mount {
    char *root;    /* directory of the file system that is mounted, owned */
    char *point;   /* where it is mounted, owned */
    char *options; /* of the file system (not of the mount), owned */
};

/*
 * Reads one line of mountinfo, which is cut up. 0 when it is a mount of this type, at `point` when
 * that is not NULL; -ENOENT when not; or -ENOMEM.
 */
int proc_parse_mount(char *line, const char *type, const char *point, struct proc_mount *ret_mount)
    MUST_CHECK;

/* The last one of them. 0, -ENOENT when there is none, or -errno. */
int proc_find_mount(int proc, const char *type, const char *point, struct proc_mount *ret_mount)
    MUST_CHECK;
void proc_mount_done(struct proc_mount *mount);
