/* SPDX-License-Identifier: MIT */
/* Cells: a row is stored as what differs from the one above it, which tells before it is formatted.
 */
#include "out/text_cells.h"

#include "base/escape.h"

/*
 * The store: for each cell a byte that is both its length and its width, then its bytes; or
 * LONG_CELL and a struct long_cell, then its bytes. Instead of cells that are the same as in the
 * row above there is one byte: SAME_CELLS + how many.
 */
#define SAME_CELLS 191
#define LONG_CELL 255
#define STORE_LIMIT ((size_t)2 << 20) /* bytes; rows that do not fit are formatted twice */

struct long_cell {
    uint32_t length, width;
};

/* The last value of a column. */
struct above {
    struct value value;
    struct buf bytes; /* of a text */
    bool known;
};

void text_cells_done(struct text_cells *cells)
{
    for (uint32_t i = 0; cells->above && i < cells->grid->column_count; i++)
        buf_done(&cells->above[i].bytes);
    buf_done(&cells->store);
    buf_done(&cells->scratch);
    free(cells->columns);
    free(cells->above);
}

/* The next row is stored whole. */
static void forget_above(struct text_cells *cells)
{
    for (uint32_t i = 0; i < cells->grid->column_count; i++)
        cells->above[i].known = false;
}

/* The same value is the same text; of addresses and lists that is not looked at. */
static bool is_above(const struct above *above, const struct value *value)
{
    if (!above->known || value->type != above->value.type)
        return false;
    switch (value->type) {
    case VALUE_NONE:
        return true;
    case VALUE_UINT:
        return value->uint == above->value.uint;
    case VALUE_INT:
        return value->integer == above->value.integer;
    case VALUE_BOOL:
        return value->boolean == above->value.boolean;
    case VALUE_STRING:
        return value->string.length == above->bytes.length &&
               memcmp(value->string.bytes, above->bytes.data, above->bytes.length) == 0;
    case VALUE_ADDRESS:
    case VALUE_LIST:
        break;
    }
    return false;
}

static void keep_above(struct above *above, const struct value *value)
{
    above->value = *value;
    above->known = true;
    if (value->type != VALUE_STRING)
        return;
    buf_reset(&above->bytes);
    buf_put(&above->bytes, value->string.bytes, value->string.length);
    above->known = !above->bytes.error && above->bytes.data;
}

/* One more cell that is as above. *run: the byte that counts those before it; 0: there is none. */
static void store_same(struct buf *store, size_t *run)
{
    if (*run && (unsigned char)store->data[*run] < LONG_CELL - 1) {
        store->data[*run]++;
        return;
    }
    *run = store->length;
    buf_byte(store, (char)(SAME_CELLS + 1));
}

/* Makes room in front of a cell that does not fit the short form. */
static void store_long(struct buf *store, size_t at, size_t width)
{
    struct long_cell head = {.width = (uint32_t)width};

    if (!buf_reserve(store, sizeof(head)))
        return;
    head.length = (uint32_t)(store->length - at - 1);
    memmove(store->data + at + 1 + sizeof(head), store->data + at + 1, head.length);
    memcpy(store->data + at + 1, &head, sizeof(head));
    store->data[at] = (char)LONG_CELL;
    store->length += sizeof(head);
}

/* Ends the cell that began at `at`. */
static void store_end(struct text_cells *cells, struct text_column *column, size_t at, size_t width)
{
    size_t length = cells->store.length - at - 1;

    if (cells->store.error)
        return;
    if (length == width && length <= SAME_CELLS)
        cells->store.data[at] = (char)length;
    else
        store_long(&cells->store, at, width);
    if (width > column->width)
        column->width = width;
}

static void store_titles(struct text_cells *cells)
{
    for (uint32_t i = 0; i < cells->grid->column_count; i++) {
        const struct column *column = cells->grid->columns[i];
        const char *title = column->title ? column->title : column->name;
        size_t at = cells->store.length;

        buf_byte(&cells->store, 0);
        store_end(cells, &cells->columns[i], at, escape_text(&cells->store, title, strlen(title)));
    }
}

/* The columns up to the first pid of "nginx(1187,1190) fd 6", and one for the mark of the cut. */
static size_t owner_width(const char *bytes, size_t length, size_t width)
{
    size_t end = 0;

    while (end < length && bytes[end] != ',' && bytes[end] != ')')
        end++;
    if (end < length && bytes[end] == ')')
        end++;
    return end + 1 < width ? end + 1 : width;
}

static void measure_owner(const struct text_cells *cells, struct text_column *column, size_t at,
                          size_t width)
{
    size_t least;

    if (cells->store.error)
        return;
    least = owner_width(cells->store.data + at + 1, cells->store.length - at - 1, width);
    if (least > column->least_owner)
        column->least_owner = least;
}

static void store_cell(struct text_cells *cells, uint32_t index, const struct value *value)
{
    const struct column *column = cells->grid->columns[index];
    size_t at = cells->store.length, width;

    if (value->type != VALUE_NONE)
        cells->columns[index].has_value = true;
    buf_byte(&cells->store, 0);
    width = format_cell(&cells->format, column, value, &cells->store);
    if (cells->owners && column->flags & COLUMN_OWNER)
        measure_owner(cells, &cells->columns[index], at, width);
    store_end(cells, &cells->columns[index], at, width);
}

static bool has_other_mark(const struct grid *grid, uint32_t row)
{
    return grid->marks && row > 0 && grid->marks[row] != grid->marks[row - 1];
}

/* A row with another mark than the one above it is stored whole: it may have another color. */
static void store_row(struct text_cells *cells, uint32_t row)
{
    const struct grid *grid = cells->grid;
    size_t run = 0;

    if (has_other_mark(grid, row))
        forget_above(cells);
    cells->format.view = format_view(grid, row);
    grid_approach(grid, row);
    for (uint32_t i = 0; i < grid->column_count && !cells->store.error; i++) {
        struct value value = grid->columns[i]->get(cells->format.view, grid->rows[row]);

        if (is_above(&cells->above[i], &value)) {
            store_same(&cells->store, &run);
        } else {
            keep_above(&cells->above[i], &value);
            store_cell(cells, i, &value);
            run = 0;
        }
    }
}

int text_cells_make(struct text_cells *cells)
{
    const struct grid *grid = cells->grid;

    cells->store = BUF_INIT;
    cells->scratch = BUF_INIT;
    cells->format.scratch = &cells->scratch;
    cells->columns = calloc(grid->column_count + 1u, sizeof(*cells->columns));
    cells->above = calloc(grid->column_count + 1u, sizeof(*cells->above));
    if (!cells->columns || !cells->above)
        return -ENOMEM;
    for (uint32_t i = 0; i < grid->column_count; i++)
        cells->above[i].bytes = BUF_INIT;
    if (cells->titles)
        store_titles(cells);
    for (uint32_t row = 0; row < grid->row_count && !cells->store.error; row++) {
        size_t mark = cells->store.length;

        store_row(cells, row);
        if (mark > STORE_LIMIT)
            cells->store.length = mark;
        else
            cells->stored_rows++;
    }
    forget_above(cells);
    return cells->store.error;
}

const char *text_cells_row(struct text_cells *cells, uint32_t row, const char *end_of_last)
{
    size_t mark = cells->store.length;

    if (row < cells->stored_rows)
        return end_of_last;
    store_row(cells, row);
    cells->store.length = mark;
    return cells->store.data + mark;
}

uint32_t text_cells_next(const char **at, struct text_cell *ret_cell)
{
    unsigned char head = (unsigned char)*(*at)++;
    struct long_cell whole = {.length = head, .width = head};

    if (head > SAME_CELLS && head < LONG_CELL)
        return head - SAME_CELLS;
    if (head == LONG_CELL) {
        memcpy(&whole, *at, sizeof(whole));
        *at += sizeof(whole);
    }
    *ret_cell = (struct text_cell){*at, whole.length, whole.width};
    *at += whole.length;
    return 0;
}
