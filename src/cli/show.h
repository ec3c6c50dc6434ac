/* SPDX-License-Identifier: MIT */
/* What showing once and showing again and again share. */
#pragma once

#include "cli/session.h"

#include <sys/ioctl.h>

/* Zero where the output is none. */
struct winsize show_terminal(void);

/* The local time of CLOCK_REALTIME; that of the reading. */
void show_moment(struct buf *out, uint64_t time_ns);
void show_time(const struct session *session, struct buf *out);

/* Writes `out` to standard output and ends it. 0, EXIT_ERROR after a line on stderr, or -EPIPE: the
 * reader went away (`| head`), which is no error of ours. */
int show_flush(struct buf *out);

/* Of a screen with several tables: a heading on a line of its own, which is not ended. */
void show_heading(const struct session *session, const char *heading, struct buf *out);

/*
 * Rows below their heading, which has `if_empty` behind it where there are none, and how many more
 * there are. 0 or -errno.
 */
int show_grid(struct session *session, const struct grid *grid, const char *heading,
              const char *if_empty, struct buf *out) MUST_CHECK;

/* The same of a planned query. */
int show_section(struct session *session, const struct query *query, const char *heading,
                 const char *if_empty, struct buf *out) MUST_CHECK;

/* Shows a planned query until it ends. Returns the exit code. */
int show_watch(struct session *session, struct query *query) MUST_CHECK;
