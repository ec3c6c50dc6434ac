/* SPDX-License-Identifier: MIT */
/* Query: what every command line becomes; and the grid that it yields. */
#pragma once

#include "table/filter.h"
#include "table/table.h"

#define QUERY_COLUMNS_MAX 128

struct sort_key {
    const struct column *column;
    bool descending;
};

struct query {
    const struct table *table;
    const struct column *columns[QUERY_COLUMNS_MAX];
    uint32_t column_count;
    const struct filter *filter; /* NULL: every row */
    struct sort_key sort[8];
    uint32_t sort_count; /* 0: the table's natural order */
    uint32_t limit;      /* 0: no limit */
    bool as_found;       /* without sort: in the order in which the source brought the rows */
};

enum grid_mark {
    MARK_NONE,
    MARK_NEW,
    MARK_CHANGED,
    MARK_GONE,
};

/*
 * Rows that were selected, in order, and the columns to show. The only thing that outputs see. A
 * cell is evaluated when it is asked for.
 */
struct grid {
    const struct table *table;
    const struct view *view;
    const struct column *const *columns; /* borrowed from the query */
    uint32_t column_count;
    uint32_t *rows; /* owned: row numbers in the table */
    uint32_t row_count;
    uint32_t matched;             /* rows before the limit */
    uint8_t *marks;               /* owned, one for each row: enum grid_mark; NULL: none */
    const struct view *gone_view; /* rows marked as gone are rows of this view; NULL when there are
                                     none */
};

/* What the collectors must bring for this query: needs of table, columns, filter and sort, narrowed
 * by the filter. Lives in `arena`. */
int query_plan(const struct query *query, struct arena *arena, struct request *request) MUST_CHECK;

/* Filters, sorts and limits. 0 and a grid to be freed with grid_done(), or -ENOMEM. */
int query_run(const struct query *query, const struct view *view, struct grid *ret_grid) MUST_CHECK;
void grid_done(struct grid *grid);

#define GRID_AHEAD 6

/* To be called before the cells of a row are evaluated, when rows are taken in order. */
static inline void grid_approach(const struct grid *grid, uint32_t row)
{
    if (grid->table->prefetch && !grid->marks && row + GRID_AHEAD < grid->row_count)
        grid->table->prefetch(grid->view, grid->rows[row + GRID_AHEAD]);
}

static inline struct value grid_cell(const struct grid *grid, uint32_t row, uint32_t column)
{
    const struct view *view =
        grid->gone_view && grid->marks[row] == MARK_GONE ? grid->gone_view : grid->view;

    return grid->columns[column]->get(view, grid->rows[row]);
}
