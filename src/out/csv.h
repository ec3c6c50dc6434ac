/* SPDX-License-Identifier: MIT */
/* CSV: the grid as RFC 4180 fields, for spreadsheets and databases. */
#pragma once

#include "table/query.h"

/*
 * A line of column names (unless no_header), then one line a row, ended by LF as Unix tools want
 * it. Unknown is empty, a text known to be empty is "" in quotes, numbers are in full, booleans
 * true and false, a list is "nginx(1203,6);nginx(1204,6)", in which these marks are \xNN within a
 * name. Texts are escaped as in the text form. Rows of a grid with marks have a first field
 * "change": new, changed, gone or empty.
 * 0, or the error of `out`, or -ENOMEM.
 */
int csv_write(const struct grid *grid, bool no_header, struct buf *out) MUST_CHECK;

/* The rows alone, each behind the same fields as they stand in the file: "" or "flow,2,". */
int csv_rows(const struct grid *grid, const char *fields, struct buf *out) MUST_CHECK;
