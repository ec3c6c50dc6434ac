/* SPDX-License-Identifier: MIT */
/* Findings of the doctor as a part of other answers: `nwho` and `nwho TARGET`. */
#pragma once

#include "cli/session.h"

/*
 * Has each reading examined: by the checks that one reading is enough for; with -d and --watch by
 * all. Adds what they need. Where the configuration or the baseline is wrong nothing is examined,
 * and a note says so: the rest does not depend on it. 0 or EXIT_ERROR.
 */
int findings_plan(struct session *session) MUST_CHECK;

/* Drops what has nothing to do with the rows of the table of sockets in the grid, with who holds
 * them, or the interfaces that they use. 0, or EXIT_ERROR. */
int findings_narrow(struct session *session, const struct grid *grid) MUST_CHECK;

/* A line each, with the command that tells more, below a heading; nothing where there are none. */
void findings_write(const struct session *session, struct buf *out);
