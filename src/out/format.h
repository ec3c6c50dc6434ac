/* SPDX-License-Identifier: MIT */
/* Format: one cell -> the bytes that people read. */
#pragma once

#include "base/format.h"
#include "table/query.h"

/* The view that a row of the grid belongs to. */
const struct view *format_view(const struct grid *grid, uint32_t row);

/*
 * A list in one cell, e.g. "nginx(1203,6) nginx(1204,6) +3": of each row the first text column and,
 * in parentheses, the key columns. At most `limit` rows (0: all). The bytes are not escaped.
 */
void format_list(const struct view *view, const struct value *list, uint32_t limit,
                 const char *separator, struct buf *out);

struct format {
    const struct view *view; /* of the row */
    struct buf *scratch;     /* for what is put together before it is escaped */
    bool exact;              /* whole numbers of the column's unit instead of "1.2M" */
};

/* The cell as text, escaped: unknown is "-", an empty text "\"\"". Returns its terminal columns.
 * `out` has no sink. */
size_t format_cell(const struct format *format, const struct column *column,
                   const struct value *value, struct buf *out);
