/* SPDX-License-Identifier: MIT */
/* Least privilege of a command: what it does not need is given up before it looks at anything. */
/*
 * Where the kernel refuses, or has no such thing, the command does without: nothing here fails.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

/* linux/capability.h has the numbers. */
#define CAPABILITY(number) (UINT64_C(1) << (number))
#define CAPABILITIES_ALL UINT64_MAX

/* Whether the program file gave this process a user, a group or capabilities that who started it
 * does not have. */
bool confine_has_borrowed(void);

/* No program that is run from here has more than this one. */
void confine_new_privileges(void);

/* Those that are in force; and to keep only these, of those there are. */
uint64_t confine_capabilities(void);
void confine_capabilities_to(uint64_t kept);

/* What a command may still do of that which reading never does. */
enum confine_may {
    CONFINE_MAY_RUN = 1u << 0,   /* other programs */
    CONFINE_MAY_WRITE = 1u << 1, /* files that it opens or makes */
};

/* Whether this kernel limits system calls, or files (landlock, for processes of the server): 0 or
 * -errno. */
int confine_tries_calls(void) MUST_CHECK;
int confine_tries_files(void) MUST_CHECK;

/* From now on system calls for anything else fail: those that change the machine, take another user
 * or look into other processes, and what it may not (enum confine_may). Needs
 * confine_new_privileges(). */
void confine_calls(uint32_t may);
