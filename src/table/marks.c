/* SPDX-License-Identifier: MIT */
/* Marks: rows of two moments are matched by identity. */
#include "table/marks.h"

#include "base/map.h"

struct matcher {
    const struct comparison *comparison;
    const struct grid *before;
    struct map index; /* identity -> the last row of `before` that has it */
    uint32_t *next;   /* the one before it with the same; MAP_NONE: none */
    uint8_t *seen;    /* rows of `before` that are there now */
    struct buf copy;
};

static int index_rows(struct matcher *matcher)
{
    const struct grid *before = matcher->before;
    int r = map_reserve(&matcher->index, before->row_count);

    for (uint32_t i = 0; i < before->row_count && r == 0; i++) {
        uint64_t identity = matcher->comparison->identity(before->view, before->rows[i]);

        matcher->next[i] = map_get(&matcher->index, identity);
        r = map_set(&matcher->index, identity, i);
    }
    return r;
}

/* A text lives in scratch until the next getter: the first of the two is copied. */
static int cell_differs(struct matcher *matcher, const struct column *column,
                        const struct grid *now, uint32_t now_row, uint32_t before_row)
{
    struct value a = column->get(now->view, now->rows[now_row]), b;

    if (a.type == VALUE_STRING) {
        buf_reset(&matcher->copy);
        buf_put(&matcher->copy, a.string.bytes, a.string.length);
        if (matcher->copy.error)
            return matcher->copy.error;
        a.string.bytes = matcher->copy.length ? matcher->copy.data : "";
    }
    b = column->get(matcher->before->view, matcher->before->rows[before_row]);
    if (matcher->comparison->unknown_is_same && (a.type == VALUE_NONE || b.type == VALUE_NONE))
        return 0;
    /* A rate needs two refreshes to be known: that it is known now is no news. */
    if (b.type == VALUE_NONE &&
        (column->kind == KIND_BYTES_PER_SECOND || column->flags & COLUMN_RATE))
        return 0;
    return value_compare(&a, &b) != 0;
}

static int row_differs(struct matcher *matcher, const struct grid *now, uint32_t now_row,
                       uint32_t before_row)
{
    const struct comparison *comparison = matcher->comparison;
    int differs = 0;

    for (uint32_t k = 0; k < comparison->column_count && differs == 0; k++)
        differs = cell_differs(matcher, comparison->columns[k], now, now_row, before_row);
    return differs;
}

/* What a row is, against all of before that it may be; what it is like is there still, and else
 * all of them have become it. */
static int match_row(struct matcher *matcher, const struct grid *now, uint32_t row,
                     enum grid_mark *ret_mark)
{
    uint32_t first =
        map_get(&matcher->index, matcher->comparison->identity(now->view, now->rows[row]));
    enum grid_mark mark = first == MAP_NONE ? MARK_NEW : MARK_CHANGED;

    for (uint32_t old = first; old != MAP_NONE; old = matcher->next[old]) {
        int differs = row_differs(matcher, now, row, old);

        if (differs < 0)
            return differs;
        if (differs == 0) {
            matcher->seen[old] = 1;
            mark = MARK_NONE;
        }
    }
    for (uint32_t old = first; old != MAP_NONE && mark == MARK_CHANGED; old = matcher->next[old])
        matcher->seen[old] = 1;
    *ret_mark = mark;
    return 0;
}

/* Gone rows are rows of the view before. */
static void append_gone(struct grid *now, const struct matcher *matcher)
{
    for (uint32_t i = 0; i < matcher->before->row_count; i++)
        if (!matcher->seen[i]) {
            now->rows[now->row_count] = matcher->before->rows[i];
            now->marks[now->row_count++] = MARK_GONE;
        }
    now->gone_view = matcher->before->view;
}

static int mark_rows(struct matcher *matcher, struct grid *grid)
{
    uint32_t count = grid->row_count;
    int r = index_rows(matcher);

    for (uint32_t i = 0; i < count && r == 0; i++) {
        enum grid_mark mark = MARK_NONE;

        r = match_row(matcher, grid, i, &mark);
        grid->marks[i] = (uint8_t)mark;
    }
    if (r == 0)
        append_gone(grid, matcher);
    return r;
}

static int mark_against(struct grid *grid, const struct grid *before,
                        const struct comparison *comparison)
{
    size_t most = (size_t)grid->row_count + before->row_count + 1;
    CLEANUP_FREE uint8_t *seen = calloc(before->row_count + 1u, 1);
    CLEANUP_FREE uint32_t *next = calloc(before->row_count + 1u, sizeof(*next));
    struct matcher matcher = {
        .comparison = comparison, .before = before, .seen = seen, .next = next, .copy = BUF_INIT};
    uint32_t *rows = reallocarray(grid->rows, most, sizeof(*rows));
    int r;

    if (rows)
        grid->rows = rows;
    grid->marks = calloc(most, 1);
    if (!rows || !grid->marks || !seen || !next)
        return -ENOMEM;
    r = mark_rows(&matcher, grid);
    map_done(&matcher.index);
    buf_done(&matcher.copy);
    return r;
}

int grid_compare(struct grid *grid, const struct query *query, const struct view *before,
                 const struct comparison *comparison)
{
    struct grid old;
    int r = query_run(query, before, &old);

    if (r == 0) {
        r = mark_against(grid, &old, comparison);
        grid_done(&old);
    }
    return r;
}

int grid_mark(struct grid *grid, const struct query *query, const struct view *before)
{
    const struct comparison comparison = {.identity = grid->table->identity,
                                          .columns = grid->columns,
                                          .column_count = grid->column_count};

    if (!grid->table->identity)
        return 0;
    if (before)
        return grid_compare(grid, query, before, &comparison);
    grid->marks = calloc(grid->row_count + 1u, 1);
    return grid->marks ? 0 : -ENOMEM;
}

void grid_drop_unmarked(struct grid *grid)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < grid->row_count; i++)
        if (grid->marks[i] != MARK_NONE) {
            grid->rows[kept] = grid->rows[i];
            grid->marks[kept++] = grid->marks[i];
        }
    grid->row_count = kept;
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
