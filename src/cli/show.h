/* SPDX-License-Identifier: MIT */
/* What showing once and showing again and again share. */
#pragma once

#include "cli/session.h"

#include <sys/ioctl.h>

/* Zero where the output is none. */
struct winsize show_terminal(void);

/* Writes `out` to standard output and ends it. 0, EXIT_ERROR after a line on stderr, or -EPIPE: the
 * reader went away (`| head`), which is no error of ours. */
int show_flush(struct buf *out);

/* Shows a planned query until it ends. Returns the exit code. */
int show_watch(struct session *session, struct query *query) MUST_CHECK;
