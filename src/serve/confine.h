/* SPDX-License-Identifier: MIT */
/* Confinement: a process that can do nothing more than talk through the sockets it has. */
#pragma once

#include "base/cleanup.h"

/* Closes all other descriptors from 3 on; 0, 1 and 2 are /dev/null. The two must differ. 0 or
 * -errno. */
int confine_descriptors(int first, int second) MUST_CHECK;

/*
 * No user that owns anything, no capabilities, no new privileges, no files (landlock, since 5.13)
 * and of system calls only those for sockets and memory (seccomp). -EPERM: neither the user could
 * be changed nor the system calls be limited. 0 or -errno.
 */
int confine(void) MUST_CHECK;
