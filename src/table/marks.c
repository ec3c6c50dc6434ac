/* SPDX-License-Identifier: MIT */
/* Marks: rows of two moments are matched by identity. */
#include "table/marks.h"

#include "base/map.h"

static int index_rows(const struct grid *grid, struct map *ret_index)
{
    int r = map_reserve(ret_index, grid->row_count);

    for (uint32_t i = 0; i < grid->row_count && r == 0; i++)
        r = map_set(ret_index, grid->table->identity(grid->view, grid->rows[i]), i);
    return r;
}

/* A text lives in scratch until the next getter: the first of the two is copied. */
static int cell_differs(const struct grid *now, uint32_t now_row, const struct grid *before,
                        uint32_t before_row, uint32_t column, struct buf *copy)
{
    struct value a = grid_cell(now, now_row, column), b;

    if (a.type == VALUE_STRING) {
        buf_reset(copy);
        buf_put(copy, a.string.bytes, a.string.length);
        if (copy->error)
            return copy->error;
        a.string.bytes = copy->length ? copy->data : "";
    }
    b = grid_cell(before, before_row, column);
    /* A rate needs two refreshes to be known: that it is known now is no news. */
    if (b.type == VALUE_NONE && (now->columns[column]->kind == KIND_BYTES_PER_SECOND ||
                                 now->columns[column]->flags & COLUMN_RATE))
        return 0;
    return value_compare(&a, &b) != 0;
}

static int compare_rows(struct grid *now, const struct grid *before, const struct map *index,
                        uint8_t *seen)
{
    struct buf copy = BUF_INIT;
    int differs = 0;

    for (uint32_t i = 0; i < now->row_count && differs >= 0; i++) {
        uint32_t old = map_get(index, now->table->identity(now->view, now->rows[i]));

        if (old == MAP_NONE) {
            now->marks[i] = MARK_NEW;
            continue;
        }
        seen[old] = 1;
        differs = 0;
        for (uint32_t k = 0; k < now->column_count && differs == 0; k++)
            differs = cell_differs(now, i, before, old, k, &copy);
        now->marks[i] = differs > 0 ? MARK_CHANGED : MARK_NONE;
    }
    buf_done(&copy);
    return differs < 0 ? differs : 0;
}

/* Gone rows are rows of the view before. */
static void append_gone(struct grid *now, const struct grid *before, const uint8_t *seen)
{
    for (uint32_t i = 0; i < before->row_count; i++)
        if (!seen[i]) {
            now->rows[now->row_count] = before->rows[i];
            now->marks[now->row_count++] = MARK_GONE;
        }
    now->gone_view = before->view;
}

static int mark_against(struct grid *grid, const struct grid *before)
{
    size_t most = (size_t)grid->row_count + before->row_count + 1;
    CLEANUP_FREE uint8_t *seen = calloc(before->row_count + 1u, 1);
    CLEANUP(map_done) struct map index = {0};
    uint32_t *rows = reallocarray(grid->rows, most, sizeof(*rows));
    int r;

    if (rows)
        grid->rows = rows;
    grid->marks = calloc(most, 1);
    if (!rows || !grid->marks || !seen)
        return -ENOMEM;
    r = index_rows(before, &index);
    if (r == 0)
        r = compare_rows(grid, before, &index, seen);
    if (r == 0)
        append_gone(grid, before, seen);
    return r;
}

int grid_mark(struct grid *grid, const struct query *query, const struct view *before)
{
    struct grid old;
    int r;

    if (!grid->table->identity)
        return 0;
    if (!before) {
        grid->marks = calloc(grid->row_count + 1u, 1);
        return grid->marks ? 0 : -ENOMEM;
    }
    r = query_run(query, before, &old);
    if (r == 0) {
        r = mark_against(grid, &old);
        grid_done(&old);
    }
    return r;
}

void grid_clip(struct grid *grid, uint32_t count)
{
    uint32_t kept = 0, marked = 0, plain;

    if (grid->row_count <= count)
        return;
    for (uint32_t i = 0; grid->marks && i < grid->row_count; i++)
        marked += grid->marks[i] != MARK_NONE;
    marked = marked < count ? marked : count;
    plain = count - marked;
    for (uint32_t i = 0; i < grid->row_count; i++) {
        bool is_marked = grid->marks && grid->marks[i] != MARK_NONE;
        uint32_t *left = is_marked ? &marked : &plain;

        if (*left == 0)
            continue;
        --*left;
        grid->rows[kept] = grid->rows[i];
        if (grid->marks)
            grid->marks[kept] = grid->marks[i];
        kept++;
    }
    grid->row_count = kept;
}
