/* SPDX-License-Identifier: MIT */
/* Plans a query and runs it: filter, sort, limit. */
#include "table/query.h"

#include "base/vec.h"

#include <string.h>

/* What decides which rows there are. */
static uint64_t rows_need(const struct query *query)
{
    return query->table->needs | (query->filter ? filter_needs(query->filter) : 0);
}

static uint64_t needs_of(const struct query *query)
{
    uint64_t needs = rows_need(query);

    for (uint32_t i = 0; i < query->column_count; i++)
        needs |= query->columns[i]->needs;
    for (uint32_t i = 0; i < query->sort_count; i++)
        needs |= query->sort[i].column->needs;
    return needs;
}

/*
 * Columns that tell of owners must name every holder, not only the process that was asked for. Of
 * descriptors each row has one.
 */
static bool shows_owners(const struct query *query)
{
    if (query->table == &table_descriptors)
        return false;
    for (uint32_t i = 0; i < query->column_count; i++)
        if (query->columns[i]->needs & NEED_OWNERS)
            return true;
    return (query->table->needs & NEED_OWNERS) != 0;
}

int query_plan(const struct query *query, struct arena *arena, struct request *request)
{
    int r;

    request->needs |= needs_of(query);
    request->rows_by_owner |= (rows_need(query) & (NEED_OWNERS | NEED_HELD)) != 0;
    request->rows_by_conntrack |= (rows_need(query) & NEED_CONNTRACK) != 0;
    request->held_only = query->table == &table_descriptors;
    r = query->filter ? filter_push_down(query->filter, arena, request) : 0;
    if (shows_owners(query))
        request->pids = NULL;
    return r;
}

static int select_rows(const struct query *query, const struct view *view, struct grid *grid)
{
    uint32_t count = query->table->row_count(view), capacity = 0;
    int r = 0;

    for (uint32_t row = 0; row < count && r == 0; row++) {
        if (query->filter && !filter_accepts(query->filter, view, row))
            continue;
        r = VEC_RESERVE(&grid->rows, &capacity, grid->row_count, 1);
        if (r == 0)
            grid->rows[grid->row_count++] = row;
    }
    return r;
}

/* --- sorting: keys are taken out once, so that a comparison calls no getter --- */

struct sort_item {
    uint32_t row;
    uint32_t position; /* equal keys stay in their order */
};

struct sorter {
    const struct query *query;
    struct value *keys; /* sort_count for each item, by position */
    struct arena texts; /* copies: a getter's text lives only until its next call */
};

static int compare_items(const void *a, const void *b, void *context)
{
    const struct sort_item *x = a, *y = b;
    const struct sorter *sorter = context;
    uint32_t count = sorter->query->sort_count;

    for (uint32_t i = 0; i < count; i++) {
        const struct value *x_key = &sorter->keys[(size_t)x->position * count + i];
        const struct value *y_key = &sorter->keys[(size_t)y->position * count + i];
        int order = value_compare(x_key, y_key);

        /* Unknown is last in both directions. */
        if (order && sorter->query->sort[i].descending && x_key->type != VALUE_NONE &&
            y_key->type != VALUE_NONE)
            order = -order;
        if (order)
            return order;
    }
    return x->position < y->position ? -1 : 1;
}

static int take_key(struct sorter *sorter, const struct view *view, uint32_t row,
                    const struct column *column, struct value *ret_key)
{
    *ret_key = column->get(view, row);
    if (ret_key->type == VALUE_STRING) {
        ret_key->string.bytes =
            arena_copy(&sorter->texts, ret_key->string.bytes, ret_key->string.length);
        if (!ret_key->string.bytes)
            return -ENOMEM;
    }
    return 0;
}

static int sort_rows(const struct query *query, const struct view *view, struct grid *grid)
{
    struct sorter sorter = {.query = query};
    CLEANUP_FREE struct sort_item *items = calloc(grid->row_count + 1, sizeof(*items));
    CLEANUP_FREE struct value *keys =
        calloc((size_t)grid->row_count * query->sort_count + 1, sizeof(*keys));
    int r = items && keys ? 0 : -ENOMEM;

    sorter.keys = keys;
    for (uint32_t i = 0; i < grid->row_count && r == 0; i++) {
        items[i] = (struct sort_item){.row = grid->rows[i], .position = i};
        for (uint32_t k = 0; k < query->sort_count && r == 0; k++)
            r = take_key(&sorter, view, grid->rows[i], query->sort[k].column,
                         &keys[(size_t)i * query->sort_count + k]);
    }
    if (r == 0) {
        qsort_r(items, grid->row_count, sizeof(*items), compare_items, &sorter);
        for (uint32_t i = 0; i < grid->row_count; i++)
            grid->rows[i] = items[i].row;
    }
    arena_done(&sorter.texts);
    return r;
}

/* --- natural order: a radix sort of one number a row --- */

/*
 * One pass of a stable counting sort of positions by one byte of their keys. False when all have
 * the same byte: nothing was moved.
 */
static bool radix_pass(const uint64_t *keys, const uint32_t *from, uint32_t *to, uint32_t count,
                       unsigned int shift)
{
    uint32_t starts[256] = {0}, at = 0;

    for (uint32_t i = 0; i < count; i++)
        starts[keys[i] >> shift & 0xff]++;
    if (starts[keys[0] >> shift & 0xff] == count)
        return false;
    for (unsigned int byte = 0; byte < 256; byte++) {
        uint32_t here = starts[byte];

        starts[byte] = at;
        at += here;
    }
    for (uint32_t i = 0; i < count; i++)
        to[starts[keys[from[i]] >> shift & 0xff]++] = from[i];
    return true;
}

static int order_rows(const struct query *query, const struct view *view, struct grid *grid)
{
    uint32_t count = grid->row_count;
    CLEANUP_FREE uint64_t *keys = calloc(count + 1u, sizeof(*keys));
    CLEANUP_FREE uint32_t *positions = calloc((size_t)count * 2 + 1, sizeof(*positions));
    uint32_t *from = positions, *to;

    if (!keys || !positions)
        return -ENOMEM;
    to = positions + count;
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = query->table->order(view, grid->rows[i]);
        from[i] = i;
    }
    for (unsigned int shift = 0; shift < 64 && count > 1; shift += 8)
        if (radix_pass(keys, from, to, count, shift)) {
            uint32_t *swap = from;

            from = to;
            to = swap;
        }
    for (uint32_t i = 0; i < count; i++)
        to[i] = grid->rows[from[i]];
    memcpy(grid->rows, to, sizeof(*to) * count);
    return 0;
}

int query_run(const struct query *query, const struct view *view, struct grid *ret_grid)
{
    struct grid grid = {
        .table = query->table,
        .view = view,
        .columns = query->columns,
        .column_count = query->column_count,
    };
    int r = select_rows(query, view, &grid);

    if (r == 0 && query->table->order && grid.row_count && !query->as_found)
        r = order_rows(query, view, &grid);
    if (r == 0 && query->sort_count)
        r = sort_rows(query, view, &grid);
    if (r < 0) {
        grid_done(&grid);
        return r;
    }
    grid.matched = grid.row_count;
    if (query->limit && grid.row_count > query->limit)
        grid.row_count = query->limit;
    *ret_grid = grid;
    return 0;
}

void grid_done(struct grid *grid)
{
    free(grid->rows);
    free(grid->marks);
    grid->rows = NULL;
    grid->marks = NULL;
    grid->row_count = 0;
}
