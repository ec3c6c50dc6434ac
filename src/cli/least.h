/* SPDX-License-Identifier: MIT */
/* Least privilege: what each command keeps of root's, and what it may still do. */
#pragma once

#include "cli/options.h"

/* Whether nwho may run at all: not with what its file gave it. 0, or EXIT_ERROR after one line on
 * stderr. */
int least_begin(void) MUST_CHECK;

/* Before a command, or an old tool, looks at anything. `options` of the command; NULL: it has
 * options of its own. */
void least_keep(const char *command, const struct options *options);

/* All is read, and only to be shown. */
void least_end(void);
