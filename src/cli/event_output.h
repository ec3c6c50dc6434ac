/* SPDX-License-Identifier: MIT */
/* How events are written: rows as they come, in every format, and a summary below them if it is
 * asked for. */
#pragma once

#include "cli/event_summary.h"
#include "cli/session.h"
#include "out/text.h"

struct event_output {
    struct session *session; /* its now is a batch of events */
    struct query *query;     /* planned */
    struct buf buf;
    struct text_layout layout;
    struct event_summary *summary; /* NULL: not asked for */
    uint32_t shown;                /* rows so far */
    bool first;                    /* row of the JSON document is still to come */
};

/* Where --summary asks for one, there is a summary. The exit code, 0: go on. */
int event_output_open(struct event_output *output, struct session *session, struct query *query)
    MUST_CHECK;

/* Frees; of an output that was opened, or is all 0. */
void event_output_done(struct event_output *output);

/* Before the first row. Columns get the width of what is usual. 0 or -errno, as all below. */
int event_output_begin(struct event_output *output) MUST_CHECK;

/* The rows of the session's now, which are not flushed yet; not more than --limit lets through. */
int event_output_add(struct event_output *output) MUST_CHECK;

/* True when --limit lets no more through. */
bool event_output_is_full(const struct event_output *output);

/* After the last row; lost: how many events were, NULL: none can be. */
int event_output_end(struct event_output *output, const uint64_t *lost) MUST_CHECK;
