/* SPDX-License-Identifier: MIT */
/* Confinement: processes that can do no more than what they are for. */
#pragma once

#include "base/cleanup.h"

/* Closes all descriptors from 3 on but those. 0 or -errno. */
int confine_descriptors_to(const int *kept, unsigned int count) MUST_CHECK;

/* The same, and 0, 1 and 2 are /dev/null. */
int confine_descriptors(const int *kept, unsigned int count) MUST_CHECK;

/* When memory is short this process and its children end, rather than others. */
void confine_to_end_first(void);

/*
 * To talk through the sockets that it has: no user that owns anything, no capabilities, no new
 * privileges, no files (landlock, since 5.13) and of system calls only those for sockets and memory
 * (seccomp). -EPERM: neither the user could be changed nor the system calls be limited. 0 or
 * -errno.
 */
int confine(void) MUST_CHECK;

/*
 * To have children that read files: the user stays, who may own the files, but without
 * capabilities or new privileges. What is `readable`, files or directories with all in them, is all
 * that may be opened, and only to be read: by landlock where the kernel has it, and by seccomp,
 * without which it fails. 0 or -errno.
 */
int confine_to_ask(const char *const *readable, unsigned int count) MUST_CHECK;

/* The child: neither processes nor sockets nor signals any more. 0 or -errno. */
int confine_to_read(void) MUST_CHECK;
