/* SPDX-License-Identifier: MIT */
/* Opens files of one directory, also after the process has given up its privileges. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * The directory stays open. A process that gives up its privileges leaves another behind, which
 * does nothing but open files there, whose names begin as they may, and hands over descriptors.
 */
struct opener {
    int directory;
    int other;   /* the socket to the other process, -1: this one opens */
    pid_t child; /* that process */
    uid_t user;  /* the owner of files, (uid_t)-1: as it comes */
    gid_t group;
    char *path;   /* of the directory with its slash, "" for this one; owned */
    char *prefix; /* names begin with it; owned */
    bool again;   /* files may be overwritten */
};

#define OPENER_NONE ((struct opener){.directory = -1, .other = -1, .user = (uid_t)-1})

/*
 * `path` is that of the first file; the first `fixed` bytes of it are in all names. `again`: files
 * that exist may be overwritten. 0, or why the directory cannot be opened.
 */
int opener_open(struct opener *opener, const char *path, size_t fixed, bool again) MUST_CHECK;
void opener_close(struct opener *opener);

/* A file that is open becomes that of `user`, if there is one. */
int opener_give(const struct opener *opener, int fd) MUST_CHECK;

/* From now on another process opens files, which keeps the privileges. */
int opener_delegate(struct opener *opener) MUST_CHECK;

/*
 * Opens for writing what is `name` in the directory, a new file; if `again`, also one that is
 * there. -EEXIST: it is.
 */
int opener_create(struct opener *opener, const char *name, bool again, int *ret_fd) MUST_CHECK;
