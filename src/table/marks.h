/* SPDX-License-Identifier: MIT */
/* Marks what is new, changed and gone since the refresh before. */
#pragma once

#include "table/query.h"

/* How rows of two moments are compared. */
struct comparison {
    /* Rows with the same number are the same row, or may be where several share it. */
    uint64_t (*identity)(const struct view *view, uint32_t row);
    const struct column *const *columns; /* a row has changed when a value of these has */
    uint32_t column_count;
    bool unknown_is_same; /* a value that is not known at one of the moments is no change */
};

/*
 * Compares the grid with what the same query gives for `before`. Rows that are gone are added
 * behind the others. 0 or -ENOMEM.
 */
int grid_compare(struct grid *grid, const struct query *query, const struct view *before,
                 const struct comparison *comparison) MUST_CHECK;

/*
 * The same with the refresh before (NULL: there was none, and nothing is marked, but the first
 * refresh has the form of the others): rows are the same by the table's identity, changed when a
 * shown cell differs. 0 or -ENOMEM.
 */
int grid_mark(struct grid *grid, const struct query *query, const struct view *before) MUST_CHECK;

/* Leaves the rows that have a mark. */
void grid_drop_unmarked(struct grid *grid);

/* Leaves at most `count` rows: those with a mark before the others, and all in the order that they
 * have. */
void grid_clip(struct grid *grid, uint32_t count);
