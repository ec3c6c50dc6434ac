/* SPDX-License-Identifier: MIT */
/* Format: one cell -> the bytes that people read. */
#pragma once

#include "base/format.h"
#include "table/query.h"

/* The view that a row of the grid belongs to. */
const struct view *format_view(const struct grid *grid, uint32_t row);

struct list_style {
    uint32_t limit; /* at most so many rows; 0: all */
    const char *separator;
    const char *reserved; /* names are escaped, and these bytes of theirs too; NULL: as they are */
};

/*
 * A list in one cell, e.g. "nginx(1203,6) nginx(1204,6) +3": of each row the first text column and,
 * in parentheses, the key columns.
 */
void format_list(const struct view *view, const struct value *list, const struct list_style *style,
                 struct buf *out);

struct format {
    const struct view *view; /* of the row */
    struct buf *scratch;     /* for what is put together before it is escaped */
    bool exact;              /* whole numbers of the column's unit instead of "1.2M" */
    bool bits;               /* rates of bytes as "9.6Mbit"; not with `exact` */
};

/* The cell as text, escaped: unknown is "-", an empty text "\"\"". Returns its terminal columns.
 * `out` has no sink. */
size_t format_cell(const struct format *format, const struct column *column,
                   const struct value *value, struct buf *out);
