/* SPDX-License-Identifier: MIT */
/* Marks what is new, changed and gone since the refresh before. */
#pragma once

#include "table/query.h"

/*
 * Compares the grid with what the same query gives for `before` (NULL: there was none, and nothing
 * is marked, but the first refresh has the form of the others). Rows are the same by the table's
 * identity, changed when a shown cell differs; rows that are gone are added behind the others.
 * 0 or -ENOMEM.
 */
int grid_mark(struct grid *grid, const struct query *query, const struct view *before) MUST_CHECK;

/* Leaves at most `count` rows: those with a mark before the others, and all in the order that they
 * have. */
void grid_clip(struct grid *grid, uint32_t count);
