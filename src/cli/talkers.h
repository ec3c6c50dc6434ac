/* SPDX-License-Identifier: MIT */
/* Talkers: who sends and receives, as a part of what another command shows. */
#pragma once

#include "cli/session.h"

struct talkers {
    struct query rows, groups;
    struct group_plan plan;
    struct filter *filter;
    bool planned;
};

/*
 * Groups of flows by process, those that move most first. An expression that traffic has no columns
 * for (of unix sockets, of states) leaves it unplanned. 0 or EXIT_ERROR.
 */
int talkers_plan(struct session *session, const char *filter, uint32_t limit,
                 struct talkers *talkers) MUST_CHECK;
/* Before session_end(): the filter is in its arena. */
void talkers_done(struct talkers *talkers);

/* Writes how it is called, over how long and how exactly it was counted, and the rows; nothing when
 * it is not planned. Adds the rows to *count. 0 or -errno. */
int talkers_write(struct session *session, const struct talkers *talkers, const char *name,
                  struct buf *out, uint32_t *count) MUST_CHECK;
