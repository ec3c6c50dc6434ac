/* SPDX-License-Identifier: MIT */
/* The cells of a grid as text, in a compact store, and how wide they are. */
#pragma once

#include "out/format.h"

/* Of text_write(): bytes, and the columns of a terminal that they take. */
struct text_cell {
    const char *bytes;
    size_t length, width;
};

/* What is known of a column when all its cells were seen. */
struct text_column {
    size_t width;       /* of its widest cell, or its title */
    size_t least_owner; /* of the widest first owner of a cell (COLUMN_OWNER) */
    bool has_value;     /* in any row */
};

struct text_cells {
    const struct grid *grid;
    struct format format;        /* exact, bits; the rest is set by each row */
    bool titles, owners;         /* whether they, and least_owner, are wanted */
    struct text_column *columns; /* owned, one for each of the grid */
    struct above *above;         /* owned, the same */
    struct buf store;            /* owned: the titles, then rows */
    struct buf scratch;          /* of the formatter */
    uint32_t stored_rows;        /* the first ones; the others are formatted again */
};

/*
 * Formats the titles, unless they are not wanted, and each row. Of `cells` grid, format and the
 * wishes are set. 0 or -ENOMEM; to be freed with text_cells_done() in any case.
 */
int text_cells_make(struct text_cells *cells) MUST_CHECK;
void text_cells_done(struct text_cells *cells);

/* Where a row stands, which is read after the one before it, or after the titles: behind their end.
 */
const char *text_cells_row(struct text_cells *cells, uint32_t row, const char *end_of_last);

/*
 * Reads on at *at: so many cells (none, mostly) are the same as in the row above; or, when it
 * returns 0, the next cell is *ret_cell.
 */
uint32_t text_cells_next(const char **at, struct text_cell *ret_cell);
