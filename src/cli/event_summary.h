/* SPDX-License-Identifier: MIT */
/* Summary of events: how many of which kind, by process, and how long they took. */
#pragma once

#include "base/buf.h"
#include "table/query.h"

struct event_summary;

/* NULL: no memory. */
struct event_summary *event_summary_new(void);
void event_summary_free(struct event_summary *summary);

/* Counts the rows of a grid of events. 0 or -ENOMEM. */
int event_summary_add(struct event_summary *summary, const struct grid *grid) MUST_CHECK;

/* Before it is written, when nothing more comes: the most frequent come first. */
void event_summary_end(struct event_summary *summary);

/* As a table for people; as a list of objects. The error of `out`, or 0. */
int event_summary_text(const struct event_summary *summary, struct buf *out) MUST_CHECK;
int event_summary_json(const struct event_summary *summary, struct buf *out) MUST_CHECK;
