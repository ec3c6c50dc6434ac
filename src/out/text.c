/* SPDX-License-Identifier: MIT */
/* Text: an aligned table. Cells come from a compact store, which tells the widths first. */
#include "out/text.h"

#include "base/escape.h"
#include "out/color.h"
#include "out/text_cells.h"

#define GAP 2
#define MARK_WIDTH 2
#define NARROWEST 8 /* a text is cut no shorter */
#define ELLIPSIS "\xe2\x80\xa6"

struct text {
    const struct grid *grid;
    const struct text_options *options;
    struct text_cells cells;
    size_t *widths;
    size_t *least;   /* that a terminal leaves of a column's width, whatever does not fit */
    bool *hidden;    /* columns that have no room, or nothing to mark */
    size_t gap;      /* between columns */
    struct buf line; /* the last one that was written: a cell that is the same stays */
    size_t *starts;  /* of each column in it, with the gap in front; and the end */
    struct buf *out;
};

static int text_init(struct text *text)
{
    uint32_t count = text->grid->column_count + 1;

    text->widths = calloc(count, sizeof(*text->widths));
    text->least = calloc(count, sizeof(*text->least));
    text->hidden = calloc(count, sizeof(*text->hidden));
    text->starts = calloc(count, sizeof(*text->starts));
    return text->widths && text->least && text->hidden && text->starts
               ? text_cells_make(&text->cells)
               : -ENOMEM;
}

static void text_done(struct text *text)
{
    text_cells_done(&text->cells);
    buf_done(&text->line);
    free(text->widths);
    free(text->least);
    free(text->hidden);
    free(text->starts);
}

/* Only texts are cut; what cannot be shorter is as wide as it is. */
static size_t least_width(const struct text *text, uint32_t index)
{
    const struct column *column = text->grid->columns[index];
    size_t title = strlen(column->title ? column->title : column->name);
    size_t least = title > NARROWEST ? title : NARROWEST;

    if (column->kind != KIND_TEXT && column->kind != KIND_LIST)
        return text->widths[index];
    return least > text->least[index] ? least : text->least[index];
}

/* The widest column that may be cut, or column_count. */
static uint32_t widest_flexible(const struct text *text)
{
    uint32_t widest = text->grid->column_count;

    for (uint32_t i = 0; i < text->grid->column_count; i++) {
        if (text->hidden[i] || text->widths[i] <= least_width(text, i))
            continue;
        if (widest == text->grid->column_count || text->widths[i] > text->widths[widest])
            widest = i;
    }
    return widest;
}

static size_t marks_width(const struct text *text)
{
    return text->grid->marks ? MARK_WIDTH : 0;
}

/* Even with texts cut and single blanks. */
static bool is_too_wide(const struct text *text)
{
    size_t total = marks_width(text);

    for (uint32_t i = 0; i < text->grid->column_count; i++) {
        size_t least = least_width(text, i);

        if (!text->hidden[i])
            total += (least < text->widths[i] ? least : text->widths[i]) + (i > 0);
    }
    return total > text->options->width;
}

/* As other texts. */
static void cut_owners(struct text *text)
{
    for (uint32_t i = 0; i < text->grid->column_count; i++)
        if (text->grid->columns[i]->flags & COLUMN_OWNER)
            text->least[i] = 0;
}

/* Minor columns go, the last first; then owners are cut; then the others go. */
static void hide_columns(struct text *text)
{
    uint32_t count = text->grid->column_count;

    for (uint32_t i = count; i > 1 && is_too_wide(text); i--)
        text->hidden[i - 1] |= (text->grid->columns[i - 1]->flags & COLUMN_MINOR) != 0;
    if (is_too_wide(text))
        cut_owners(text);
    for (uint32_t i = count; i > 1 && is_too_wide(text); i--)
        text->hidden[i - 1] = true;
    if (is_too_wide(text))
        text->widths[0] = text->options->width - marks_width(text);
}

/* First long texts give way, the widest before the others, then every second blank between columns.
 * Numbers, words, addresses, and who owns a socket are never cut: rather a line is longer. */
static void fit_terminal(struct text *text)
{
    const struct text_layout *layout = text->options->layout;
    uint32_t count = text->grid->column_count, widest;
    size_t total = marks_width(text);

    if (text->options->clip && text->options->width > MARK_WIDTH && !(layout && layout->settled))
        hide_columns(text);
    for (uint32_t i = 0; i < count; i++)
        total += text->hidden[i] ? 0 : text->widths[i] + (i > 0 ? GAP : 0);
    while (total > text->options->width && (widest = widest_flexible(text)) < count) {
        text->widths[widest]--;
        total--;
    }
    if (total > text->options->width && total < text->options->width + count)
        text->gap = 1;
}

static const char *color_of_cell(const struct column *column, const struct text_cell *cell)
{
    if (column->flags & COLUMN_MARK)
        return cell->length == 1 && *cell->bytes == '-' ? NULL : COLOR_SICK;
    return column->kind == KIND_NAME ? color_of_word(cell->bytes, cell->length) : NULL;
}

/* Where a column stands in the line, made so many bytes long. NULL: no memory. */
static char *resize(struct text *text, uint32_t column, size_t length)
{
    struct buf *line = &text->line;
    size_t *starts = text->starts, old = starts[column + 1] - starts[column];

    if (length != old) {
        if (!buf_reserve(line, length))
            return NULL;
        memmove(line->data + starts[column] + length, line->data + starts[column + 1],
                line->length - starts[column + 1]);
        for (uint32_t i = column + 1; i <= text->grid->column_count; i++)
            starts[i] += length - old;
        line->length += length - old;
    }
    return line->data + starts[column];
}

/* A line without columns has no memory, which memcpy() may not be told. */
static char *put_bytes(char *at, const char *bytes, size_t length)
{
    if (length)
        memcpy(at, bytes, length);
    return at + length;
}

static char *put_blanks(char *at, size_t count)
{
    memset(at, ' ', count);
    return at + count;
}

/* Into the line, with the gap in front and the blanks that make it as wide as the column. */
static void put_cell(struct text *text, uint32_t index, const struct text_cell *cell, bool color)
{
    const struct column *column = text->grid->columns[index];
    size_t width = text->widths[index], length = cell->length, used = cell->width;
    size_t left = index > 0 ? text->gap : 0, right = 0;
    const char *before = "", *behind = "", *own;
    char *at;

    if (used > width) {
        length = escape_fit(cell->bytes, length, width - 1, &used);
        used++;
        behind = ELLIPSIS;
    } else if (color && (own = color_of_cell(column, cell))) {
        before = own;
        behind = COLOR_RESET;
    }
    *(value_kind_info(column->kind)->right ? &left : &right) += width - used;
    at = resize(text, index, left + strlen(before) + length + strlen(behind) + right);
    if (!at)
        return;
    at = put_bytes(put_blanks(at, left), before, strlen(before));
    at = put_bytes(put_bytes(at, cell->bytes, length), behind, strlen(behind));
    put_blanks(at, right);
}

/* Puts the cells of a row that differ from those above into the line. Returns their end. */
static const char *read_row(struct text *text, const char *at, bool color)
{
    struct text_cell cell;

    for (uint32_t i = 0; i < text->grid->column_count;) {
        uint32_t same = text_cells_next(&at, &cell);

        if (same == 0 && !text->hidden[i])
            put_cell(text, i, &cell, color);
        i += same ? same : 1;
    }
    return at;
}

/* Writes the line without the blanks at its end. `color`: of all of it, NULL: its cells have
 * theirs. */
static void put_line(struct text *text, char mark, const char *color)
{
    struct buf *out = text->out;
    size_t length = text->line.length;
    char *start, *at;

    if (color)
        buf_puts(out, color);
    start = at = buf_reserve(out, MARK_WIDTH + length);
    if (!at || text->line.error)
        return;
    if (text->grid->marks) {
        *at++ = mark;
        *at++ = ' ';
    }
    at = put_bytes(at, text->line.data, length);
    while (at > start && at[-1] == ' ')
        at--;
    out->length += (size_t)(at - start);
    if (color)
        buf_puts(out, COLOR_RESET);
    buf_byte(out, '\n');
}

static const char *color_of_mark(unsigned int mark)
{
    static const char *const colors[] = {
        [MARK_NEW] = COLOR_NEW, [MARK_CHANGED] = COLOR_CHANGED, [MARK_GONE] = COLOR_GONE};

    return mark < ARRAY_SIZE(colors) ? colors[mark] : NULL;
}

static void put_rows(struct text *text)
{
    static const char marks[] = " +~-";
    const struct grid *grid = text->grid;
    bool color = text->options->color;
    const char *at = text->cells.store.data;

    if (text->cells.titles) {
        at = read_row(text, at, false);
        put_line(text, ' ', color ? COLOR_HEADER : NULL);
    }
    for (uint32_t row = 0; row < grid->row_count && !text->out->error; row++) {
        unsigned int mark = grid->marks ? grid->marks[row] : MARK_NONE;
        const char *of_row = color ? color_of_mark(mark) : NULL;

        at = read_row(text, text_cells_row(&text->cells, row, at), color && !of_row);
        put_line(text, marks[mark <= MARK_GONE ? mark : MARK_NONE], of_row);
    }
}

/* What the cells want, before a terminal is thought of. */
static void take_widths(struct text *text)
{
    const struct text_column *known = text->cells.columns;

    for (uint32_t i = 0; i < text->grid->column_count; i++) {
        text->widths[i] = known[i].width;
        text->least[i] = known[i].least_owner;
        text->hidden[i] = text->grid->columns[i]->flags & COLUMN_MARK && !known[i].has_value &&
                          !text->options->keep_marks;
    }
}
static void take_layout(struct text *text)
{
    const struct text_layout *layout = text->options->layout;

    for (uint32_t i = 0; layout && i < text->grid->column_count; i++) {
        if (layout->widths[i] > text->widths[i])
            text->widths[i] = layout->widths[i];
        text->least[i] = layout->widths[i];
        text->hidden[i] |= layout->hidden[i];
    }
}

static void keep_layout(const struct text *text)
{
    struct text_layout *layout = text->options->layout;

    if (!layout)
        return;
    memcpy(layout->widths, text->widths, text->grid->column_count * sizeof(*layout->widths));
    memcpy(layout->hidden, text->hidden, text->grid->column_count * sizeof(*layout->hidden));
    layout->settled = true;
}

int text_write(const struct grid *grid, const struct text_options *options, struct buf *out)
{
    CLEANUP(text_done)
    struct text text = {.grid = grid,
                        .options = options,
                        .cells = {.grid = grid,
                                  .format = {.exact = options->exact, .bits = options->bits},
                                  .titles = !options->no_header,
                                  .owners = options->width > 0},
                        .gap = GAP,
                        .line = BUF_INIT,
                        .out = out};
    int r = text_init(&text);

    if (r < 0)
        return r;
    take_widths(&text);
    take_layout(&text);
    if (options->width > 0)
        fit_terminal(&text);
    keep_layout(&text);
    put_rows(&text);
    return text.line.error ? text.line.error : out->error;
}
