/* SPDX-License-Identifier: MIT */
/* JSON: the grid as one document, or as one object a line. */
#pragma once

#include "table/query.h"

/*
 * {"schema":"nwho/1","host":...,"time":...,"table":...,"complete":...,"sources":{...},
 *  "warnings":[{"source":...,"effect":...,"error":...,"text":...}],"rows":[...]}, and a newline.
 * Keys of a row are column names, unknown is null, numbers are in the unit of their column and
 * written in full: cookies and counters may exceed 2^53, which a reader that keeps numbers as
 * doubles (JavaScript, jq before 1.7) rounds. A list is an array of objects with the COLUMN_MACHINE
 * columns of its table. Rows of a grid with marks have a first key "change": "new", "changed",
 * "gone" or null. "accounting" is there where traffic was counted: "bpf", "tcp_info",
 * "interfaces"; "checks" beside findings. "error" is the errno of a warning, or null; "effect" is
 * "detail", "owners" or "incomplete". 0, or the error of `out`, or -ENOMEM.
 */
int json_write(const struct grid *grid, struct buf *out) MUST_CHECK;

/*
 * The same document bit by bit, for rows that come as time goes by: json_begin() writes what is
 * known at once (schema, host, time, table) and opens the rows; json_more() adds those of a grid,
 * *first tells whether they are the first ones; json_end() closes them, and tells what is known at
 * the end: "ended", "complete", "sources", "warnings", and `more`, which begins with a comma.
 * The error of `out`, or 0; json_more() also -ENOMEM.
 */
int json_begin(const struct table *table, const struct snapshot *snapshot, struct buf *out)
    MUST_CHECK;
int json_more(const struct grid *grid, bool *first, struct buf *out) MUST_CHECK;
int json_end(const struct snapshot *snapshot, const char *more, struct buf *out) MUST_CHECK;

/* Only the rows, one object a line, which begins with `members` ("kind":"flow",...) unless that is
 * NULL. */
int jsonl_write(const struct grid *grid, const char *members, struct buf *out) MUST_CHECK;
