/* SPDX-License-Identifier: MIT */
/* Files that appear whole or not at all. */
#pragma once

#include "base/cleanup.h"

/*
 * Puts a new file, which is nobody else's to read, in the place of the one at `path`; a device or a
 * pipe is written to as it is. `write` returns 0 or -errno. 0 or -errno.
 */
int replace_file(const char *path, int (*write)(const void *content, int fd), const void *content)
    MUST_CHECK;

/* The same of a name that nobody chose: a link or a device there makes room, and is not followed.
 */
int replace_name(const char *path, int (*write)(const void *content, int fd), const void *content)
    MUST_CHECK;
