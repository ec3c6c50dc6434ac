/* SPDX-License-Identifier: MIT */
/* Text: cells are formatted into a compact store, which tells the widths; then written. */
#include "out/text.h"

#include "base/escape.h"
#include "out/color.h"
#include "out/format.h"

#define GAP 2
#define MARK_WIDTH 2
#define NARROWEST 8 /* a text is cut no shorter */
#define LONG_CELL 255
#define SAME_CELL 254                 /* as the cell above it */
#define STORE_LIMIT ((size_t)2 << 20) /* bytes; rows that do not fit are formatted twice */
#define ELLIPSIS "\xe2\x80\xa6"

/*
 * The store: for each cell a byte that is both its length and its width, then its bytes; or
 * LONG_CELL and a struct long_cell, then its bytes; or SAME_CELL alone.
 */
struct long_cell {
    uint32_t length, width;
};

struct cell {
    const char *bytes;
    size_t length, width;
};

struct text {
    const struct grid *grid;
    const struct text_options *options;
    struct buf cells;   /* the heading's cells first, unless it is not wanted */
    struct buf scratch; /* of the formatter */
    size_t *widths;
    size_t *least;        /* that a terminal leaves of a column's width, whatever does not fit */
    bool *hidden;         /* columns that have no room, or nothing to mark */
    size_t gap;           /* between columns */
    size_t *above;        /* 1 + where the last cell of each column stands whole; 0: nowhere */
    struct cell *last;    /* the last cell of each column that was read */
    bool full;            /* the store takes no more rows */
    uint32_t stored_rows; /* the first ones; of the others only the widths are known */
    struct buf *out;
    size_t blanks; /* that are due before the next cell of the line */
};

static int measure_init(struct text *text)
{
    uint32_t count = text->grid->column_count + 1;

    text->widths = calloc(count, sizeof(*text->widths));
    text->least = calloc(count, sizeof(*text->least));
    text->hidden = calloc(count, sizeof(*text->hidden));
    text->above = calloc(count, sizeof(*text->above));
    text->last = calloc(count, sizeof(*text->last));
    return text->widths && text->least && text->hidden && text->above && text->last ? 0 : -ENOMEM;
}

static void measure_done(struct text *text)
{
    buf_done(&text->cells);
    buf_done(&text->scratch);
    free(text->widths);
    free(text->least);
    free(text->hidden);
    free(text->above);
    free(text->last);
}

/* Makes room in front of a cell that does not fit the short form. */
static void store_long(struct buf *cells, size_t at, size_t width)
{
    struct long_cell head = {.width = (uint32_t)width};

    if (!buf_reserve(cells, sizeof(head)))
        return;
    head.length = (uint32_t)(cells->length - at - 1);
    memmove(cells->data + at + 1 + sizeof(head), cells->data + at + 1, head.length);
    memcpy(cells->data + at + 1, &head, sizeof(head));
    cells->data[at] = (char)LONG_CELL;
    cells->length += sizeof(head);
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

/* Ends the cell that began at `at`. */
static void store_end(struct text *text, uint32_t column, size_t at, size_t width)
{
    size_t length = text->cells.length - at - 1;

    if (text->cells.error)
        return;
    if (length == width && length < SAME_CELL)
        text->cells.data[at] = (char)length;
    else
        store_long(&text->cells, at, width);
    if (width > text->widths[column])
        text->widths[column] = width;
}

static void store_least(struct text *text, uint32_t column, size_t at, size_t width)
{
    size_t least;

    if (text->cells.error || text->options->width == 0 ||
        !(text->grid->columns[column]->flags & COLUMN_OWNER))
        return;
    least = owner_width(text->cells.data + at + 1, text->cells.length - at - 1, width);
    if (least > text->least[column])
        text->least[column] = least;
}

/* Takes back the cell that was just stored when it is the same as the one above: most often so. */
static void store_once(struct text *text, uint32_t column, size_t at)
{
    struct buf *cells = &text->cells;
    size_t length = cells->length - at, above = text->above[column];
    bool same;

    if (text->full || cells->error)
        return;
    same = above > 0 && above - 1 + length <= at &&
           memcmp(cells->data + above - 1, cells->data + at, length) == 0;
    if (same) {
        cells->data[at] = (char)SAME_CELL;
        cells->length = at + 1;
    } else {
        text->above[column] = at + 1;
    }
}

static void store_header(struct text *text)
{
    for (uint32_t i = 0; i < text->grid->column_count; i++) {
        const struct column *column = text->grid->columns[i];
        const char *title = column->title ? column->title : column->name;
        size_t at = text->cells.length;

        buf_byte(&text->cells, 0);
        store_end(text, i, at, escape_text(&text->cells, title, strlen(title)));
    }
}

/* Most cells without a value are below another one: that is seen before they are made. */
static bool store_same_none(struct text *text, uint32_t column)
{
    struct buf *cells = &text->cells;
    size_t above = text->above[column];

    if (text->full || cells->error || !above || cells->data[above - 1] != 1 ||
        cells->data[above] != '-')
        return false;
    buf_byte(cells, (char)SAME_CELL);
    return true;
}

static void store_row(struct text *text, uint32_t row)
{
    const struct grid *grid = text->grid;
    struct format format = {.view = format_view(grid, row),
                            .scratch = &text->scratch,
                            .exact = text->options->exact,
                            .bits = text->options->bits};

    grid_approach(grid, row);
    for (uint32_t i = 0; i < grid->column_count; i++) {
        const struct column *column = grid->columns[i];
        struct value value = column->get(format.view, grid->rows[row]);
        size_t at = text->cells.length, width;

        if (value.type != VALUE_NONE)
            text->hidden[i] = false;
        else if (store_same_none(text, i))
            continue;
        buf_byte(&text->cells, 0);
        width = format_cell(&format, column, &value, &text->cells);
        store_least(text, i, at, width);
        store_end(text, i, at, width);
        store_once(text, i, at);
    }
}

static void store_rows(struct text *text)
{
    for (uint32_t i = 0; i < text->grid->column_count && !text->options->keep_marks; i++)
        text->hidden[i] = text->grid->columns[i]->flags & COLUMN_MARK;
    for (uint32_t row = 0; row < text->grid->row_count && !text->cells.error; row++) {
        size_t mark = text->cells.length;

        text->full = mark > STORE_LIMIT;
        store_row(text, row);
        if (text->full)
            text->cells.length = mark;
        else
            text->stored_rows++;
    }
}

static struct cell next_cell(const char **at, struct cell *last)
{
    unsigned char head = (unsigned char)**at;
    struct cell cell = {.bytes = *at + 1, .length = head, .width = head};

    if (head == SAME_CELL) {
        ++*at;
        return *last;
    }
    if (head == LONG_CELL) {
        struct long_cell long_cell;

        memcpy(&long_cell, cell.bytes, sizeof(long_cell));
        cell = (struct cell){cell.bytes + sizeof(long_cell), long_cell.length, long_cell.width};
    }
    *at = cell.bytes + cell.length;
    *last = cell;
    return cell;
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

/* Blanks wait until something follows them, so that no line ends in one. */
static void put_due(struct text *text, const char *bytes, size_t length)
{
    char *at = length > 0 ? buf_reserve(text->out, text->blanks + length) : NULL;

    if (!at)
        return;
    memset(at, ' ', text->blanks);
    memcpy(at + text->blanks, bytes, length);
    text->out->length += text->blanks + length;
    text->blanks = 0;
}

static void put_cut(struct text *text, const struct cell *cell, size_t columns)
{
    size_t width, length = escape_fit(cell->bytes, cell->length, columns - 1, &width);

    put_due(text, cell->bytes, length);
    put_due(text, ELLIPSIS, strlen(ELLIPSIS));
    text->blanks += columns - width - 1;
}

static void put_bytes(struct text *text, const struct cell *cell)
{
    size_t length = cell->length;

    while (length > 0 && cell->bytes[length - 1] == ' ')
        length--;
    put_due(text, cell->bytes, length);
    text->blanks += cell->length - length;
}

static void put_cell(struct text *text, uint32_t column, const struct cell *cell)
{
    size_t columns = text->widths[column];
    bool right = value_kind_info(text->grid->columns[column]->kind)->right;

    if (column > 0)
        text->blanks += text->gap;
    if (cell->width > columns) {
        put_cut(text, cell, columns);
        return;
    }
    if (right)
        text->blanks += columns - cell->width;
    put_bytes(text, cell);
    if (!right)
        text->blanks += columns - cell->width;
}

static const char *color_of_cell(const struct column *column, const struct cell *cell)
{
    if (column->flags & COLUMN_MARK)
        return cell->length == 1 && *cell->bytes == '-' ? NULL : COLOR_SICK;
    return column->kind == KIND_NAME ? color_of_word(cell->bytes, cell->length) : NULL;
}

static void put_colored_cell(struct text *text, uint32_t column, const struct cell *cell,
                             const char *row_color)
{
    const char *color = NULL;

    if (!row_color && cell->width <= text->widths[column])
        color = color_of_cell(text->grid->columns[column], cell);
    if (!color) {
        put_cell(text, column, cell);
        return;
    }
    text->blanks += column > 0 ? text->gap : 0;
    put_due(text, color, strlen(color));
    put_due(text, cell->bytes, cell->length);
    put_due(text, COLOR_RESET, strlen(COLOR_RESET));
    text->blanks = text->widths[column] - cell->width;
}

static const char *color_of_row(const struct text *text, uint32_t row)
{
    static const char *const colors[] = {
        [MARK_NEW] = COLOR_NEW, [MARK_CHANGED] = COLOR_CHANGED, [MARK_GONE] = COLOR_GONE};
    const struct grid *grid = text->grid;
    unsigned int mark = grid->marks ? grid->marks[row] : MARK_NONE;

    return mark < ARRAY_SIZE(colors) ? colors[mark] : NULL;
}

static void put_row(struct text *text, const char **at, char mark, const char *color)
{
    text->blanks = 0;
    if (color)
        put_due(text, color, strlen(color));
    if (text->grid->marks) {
        if (mark != ' ')
            put_due(text, &mark, 1);
        text->blanks = mark == ' ' ? MARK_WIDTH : MARK_WIDTH - 1;
    }
    for (uint32_t i = 0; i < text->grid->column_count; i++) {
        struct cell cell = next_cell(at, &text->last[i]);

        if (text->hidden[i])
            continue;
        if (text->options->color)
            put_colored_cell(text, i, &cell, color);
        else
            put_cell(text, i, &cell);
    }
    text->blanks = 0;
    if (color)
        put_due(text, COLOR_RESET, strlen(COLOR_RESET));
    buf_byte(text->out, '\n');
}

static void put_rows(struct text *text)
{
    static const char marks[] = " +~-";
    const struct grid *grid = text->grid;
    const char *at = text->cells.data;
    size_t stored = text->cells.length;

    if (!text->options->no_header)
        put_row(text, &at, ' ', text->options->color ? COLOR_HEADER : NULL);
    for (uint32_t row = 0; row < grid->row_count && !text->out->error; row++) {
        unsigned int mark = grid->marks ? grid->marks[row] : MARK_NONE;

        if (row >= text->stored_rows) {
            text->cells.length = stored;
            store_row(text, row);
            at = text->cells.data + stored;
        }
        put_row(text, &at, marks[mark <= MARK_GONE ? mark : MARK_NONE],
                text->options->color ? color_of_row(text, row) : NULL);
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
    struct text text CLEANUP(measure_done) = {.grid = grid,
                                              .options = options,
                                              .cells = BUF_INIT,
                                              .scratch = BUF_INIT,
                                              .gap = GAP,
                                              .out = out};

    if (measure_init(&text) < 0)
        return -ENOMEM;
    if (!options->no_header)
        store_header(&text);
    store_rows(&text);
    if (text.cells.error)
        return text.cells.error;
    take_layout(&text);
    if (options->width > 0)
        fit_terminal(&text);
    keep_layout(&text);
    put_rows(&text);
    return out->error;
}
