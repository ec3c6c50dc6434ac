/* SPDX-License-Identifier: MIT */
/* List: how it is drawn: columns, widths, heading, rows. */
#include "tui/list.h"

#include "base/graph.h"
#include "out/format.h"
#include "tui/quantity.h"

#define GUTTER 2 /* ">" selected; "x" gone, "!" sick */
#define NARROWEST 8
#define SPARK_TITLE "TREND"

enum field_kind {
    FIELD_CELL,
    FIELD_RATE,
    FIELD_TOTAL,
    FIELD_SPARK,
    FIELD_BAR,
};

struct field {
    const struct column *column; /* NULL: a graph */
    enum field_kind kind;
    uint32_t index; /* of the column in the grid */
    int width;
    bool right;
};

struct drawing {
    struct list *list;
    const struct terminal *terminal;
    const struct tui_answer *answer;
    const struct series *series;
    const struct list_units *units;
    struct field fields[QUERY_COLUMNS_MAX + 2];
    uint32_t field_count;
    bool dropped;                /* a field that has no room beside rates */
    struct quantity_scale scale; /* of rates */
    uint64_t largest;            /* rate of a visible row, both directions */
    struct buf cell, scratch;
};

static uint32_t last_seen(const struct list *list)
{
    uint32_t end = list->top + list->height;

    return end < list->count ? end : list->count;
}

/* The selected place is among those that are seen, and no room is wasted. */
static void scroll(struct list *list)
{
    if (list->top + list->height > list->count)
        list->top = list->count > list->height ? list->count - list->height : 0;
    if (list->selected < list->top)
        list->top = list->selected;
    if (list->height && list->selected >= list->top + list->height)
        list->top = list->selected - list->height + 1;
}

/* --- fields --- */

static void add_graphs(struct drawing *drawing)
{
    int columns = drawing->terminal->columns;
    struct field *field = &drawing->fields[drawing->field_count];

    if (columns < 60)
        return;
    *field++ = (struct field){.kind = FIELD_SPARK, .width = columns < 100 ? 8 : 16};
    drawing->field_count++;
    if (columns < 120)
        return;
    *field = (struct field){.kind = FIELD_BAR, .width = columns < 160 ? 12 : 24};
    drawing->field_count++;
}

static void choose_fields(struct drawing *drawing)
{
    const struct grid *grid = &drawing->answer->grid;
    uint32_t last_rate = UINT32_MAX;

    for (uint32_t i = 0; i < grid->column_count; i++)
        if (grid->columns[i]->kind == KIND_BYTES_PER_SECOND)
            last_rate = i;
    for (uint32_t i = 0; i < grid->column_count; i++) {
        enum value_kind kind = grid->columns[i]->kind;

        drawing->fields[drawing->field_count++] =
            (struct field){.column = grid->columns[i],
                           .index = i,
                           .kind = kind == KIND_BYTES_PER_SECOND ? FIELD_RATE
                                   : kind == KIND_BYTES          ? FIELD_TOTAL
                                                                 : FIELD_CELL,
                           .right = value_kind_info(kind)->right};
        if (i == last_rate)
            add_graphs(drawing);
    }
}

static void find_scale(struct drawing *drawing)
{
    const struct list *list = drawing->list;
    uint64_t largest = 0;

    for (uint32_t place = list->top; place < last_seen(list); place++) {
        const struct tui_row *row = &list->rows[list->order[place]];

        if (row->rx + row->tx > drawing->largest)
            drawing->largest = row->rx + row->tx;
        for (uint32_t i = 0; i < drawing->field_count; i++) {
            const struct field *field = &drawing->fields[i];
            struct value value = {.type = VALUE_NONE};

            if (field->kind == FIELD_RATE)
                value = grid_cell(&drawing->answer->grid, list->order[place], field->index);
            if (value.type == VALUE_UINT && value.uint > largest)
                largest = value.uint;
        }
    }
    drawing->scale = quantity_scale(largest, !drawing->units->bytes);
}

/* --- cells --- */

static const char *sort_mark(const struct drawing *drawing)
{
    if (drawing->terminal->glyphs)
        return drawing->answer->descending ? "\xe2\x96\xbc" : "\xe2\x96\xb2";
    return drawing->answer->descending ? "v" : "^";
}

/* "RX/S" is "RX Mbit/s". */
static void put_title(struct drawing *drawing, const struct field *field, struct buf *out)
{
    const char *title = SPARK_TITLE;

    if (field->kind == FIELD_BAR)
        return;
    if (field->column)
        title = field->column->title ? field->column->title : field->column->name;
    buf_put(out, title, field->kind == FIELD_RATE ? strcspn(title, "/") : strlen(title));
    if (field->kind == FIELD_RATE) {
        buf_byte(out, ' ');
        quantity_unit(out, drawing->scale);
    }
}

/* Appends the cell; gives the columns it takes. */
static size_t put_cell(struct drawing *drawing, const struct field *field, uint32_t row,
                       struct buf *out)
{
    const struct grid *grid = &drawing->answer->grid;
    struct format format = {.view = format_view(grid, row), .scratch = &drawing->scratch};
    struct value value = grid_cell(grid, row, field->index);
    size_t before = out->length;

    if (value.type == VALUE_UINT && field->kind == FIELD_RATE)
        quantity_scaled(out, drawing->scale, value.uint);
    else if (value.type == VALUE_UINT && field->kind == FIELD_TOTAL)
        quantity_total(out, value.uint, drawing->units->total_bits);
    else
        return format_cell(&format, field->column, &value, out);
    return out->length - before;
}

static void put_graph(struct drawing *drawing, const struct field *field, uint32_t row,
                      struct buf *out)
{
    const struct tui_row *facts = &drawing->list->rows[row];
    uint64_t values[SERIES_LENGTH];
    uint32_t count, width = (uint32_t)field->width;

    if (field->kind == FIELD_BAR) {
        graph_bar(out, facts->rx + facts->tx, drawing->largest, width, drawing->terminal->glyphs);
        return;
    }
    count = series_get(drawing->series, facts->identity, values);
    graph_spark(out, values, count, width, drawing->terminal->glyphs);
}

/* --- widths --- */

static void measure(struct drawing *drawing, struct field *field)
{
    const struct list *list = drawing->list;
    uint32_t *kept = &drawing->list->widths[field->index];
    size_t width;

    if (!field->column)
        return;
    buf_reset(&drawing->cell);
    put_title(drawing, field, &drawing->cell);
    width = drawing->cell.length + (field->column == drawing->answer->sort);
    for (uint32_t place = list->top; place < last_seen(list); place++) {
        size_t columns;

        buf_reset(&drawing->cell);
        columns = put_cell(drawing, field, list->order[place], &drawing->cell);
        if (columns > width)
            width = columns;
    }
    if (width > *kept)
        *kept = (uint32_t)width;
    field->width = (int)*kept;
}

static int least_width(const struct drawing *drawing, const struct field *field)
{
    int title;

    if (!field->column || (field->column->kind != KIND_TEXT && field->column->kind != KIND_LIST))
        return field->width;
    title = (int)strlen(field->column->title ? field->column->title : field->column->name) +
            (field->column == drawing->answer->sort);
    return title > NARROWEST ? title : NARROWEST;
}

/* Which field before the first rate is missed least, after the first one; 0: there is none. */
static uint32_t least_wanted(const struct drawing *drawing)
{
    uint32_t rate = 0;

    while (rate < drawing->field_count && drawing->fields[rate].kind != FIELD_RATE)
        rate++;
    if (rate == drawing->field_count)
        return 0;
    for (uint32_t i = 1; i < rate; i++)
        if (drawing->fields[i].column->flags & COLUMN_MINOR)
            return i;
    return rate > 1 ? rate - 1 : 0;
}

/* The columns up to the last rate, when texts have given way. */
static int least_columns(const struct drawing *drawing)
{
    int columns = GUTTER - 1, rates = 0;

    for (uint32_t i = 0; i < drawing->field_count; i++) {
        columns += least_width(drawing, &drawing->fields[i]) + 1;
        if (drawing->fields[i].kind == FIELD_RATE)
            rates = columns;
    }
    return rates;
}

/* Rates are what people look for: other fields make room, unless somebody scrolls to them. */
static void make_room_for_rates(struct drawing *drawing)
{
    uint32_t at;

    while (drawing->list->left == 0 && least_columns(drawing) > drawing->terminal->columns &&
           (at = least_wanted(drawing)) > 0) {
        drawing->field_count--;
        memmove(&drawing->fields[at], &drawing->fields[at + 1],
                (drawing->field_count - at) * sizeof(*drawing->fields));
        drawing->dropped = true;
    }
}

/* Texts give way, the widest before the others. */
static void shrink(struct drawing *drawing)
{
    int total = GUTTER - 1;

    for (uint32_t i = 0; i < drawing->field_count; i++)
        total += drawing->fields[i].width + 1;
    while (total > drawing->terminal->columns) {
        struct field *widest = NULL;

        for (uint32_t i = 0; i < drawing->field_count; i++) {
            struct field *field = &drawing->fields[i];

            if (field->width > least_width(drawing, field) &&
                (!widest || field->width > widest->width))
                widest = field;
        }
        if (!widest)
            break;
        widest->width--;
        total--;
    }
    if (total <= drawing->terminal->columns)
        drawing->list->left = 0;
    else if (drawing->list->left + 1 >= drawing->field_count)
        drawing->list->left = drawing->field_count ? drawing->field_count - 1 : 0;
}

/* Behind the first field, `left` ones are scrolled away. */
static bool is_scrolled_away(const struct drawing *drawing, uint32_t index)
{
    return index > 0 && index <= drawing->list->left;
}

/* What cannot be cut is drawn whole or not at all. */
static bool has_room(const struct drawing *drawing, uint32_t index, const struct pen *pen)
{
    const struct field *field = &drawing->fields[index];

    if (pen->column >= pen->end)
        return false;
    return index == 0 || pen->column + least_width(drawing, field) <= pen->end;
}

/* --- lines --- */

static void draw_padded(struct pen *pen, enum paint paint, const struct buf *text, size_t columns,
                        int width, bool right)
{
    struct pen field = *pen;
    int blanks = columns < (size_t)width ? width - (int)columns : 0;

    if (field.end > field.column + width)
        field.end = field.column + width;
    if (right)
        pen_blanks(&field, paint, blanks);
    pen_buf(&field, paint, text);
    if (!right)
        pen_blanks(&field, paint, blanks);
    pen->column = field.column;
}

static void draw_heading(struct drawing *drawing, int line)
{
    struct list *list = drawing->list;
    struct pen pen = pen_at(drawing->terminal, line, 0, -1), more;
    uint32_t i;

    list->heading_count = 0;
    pen_blanks(&pen, PAINT_HEAD, GUTTER);
    for (i = 0; i < drawing->field_count; i++) {
        const struct field *field = &drawing->fields[i];
        bool sorted = field->column && field->column == drawing->answer->sort;
        size_t columns;

        if (is_scrolled_away(drawing, i))
            continue;
        if (!has_room(drawing, i, &pen))
            break;
        buf_reset(&drawing->cell);
        if (sorted)
            buf_puts(&drawing->cell, sort_mark(drawing));
        columns = drawing->cell.length;
        put_title(drawing, field, &drawing->cell);
        columns = drawing->cell.length - columns + sorted;
        if (field->column && list->heading_count < QUERY_COLUMNS_MAX) {
            list->headings[list->heading_count].column = field->column;
            list->headings[list->heading_count].begin = pen.column;
            list->headings[list->heading_count++].end = pen.column + field->width;
        }
        draw_padded(&pen, sorted ? PAINT_SORTED : PAINT_HEAD, &drawing->cell, columns, field->width,
                    field->right);
        pen_blanks(&pen, PAINT_HEAD, 1);
    }
    pen_fill(&pen, PAINT_HEAD);
    more = pen_at(drawing->terminal, line, drawing->terminal->columns - 1, -1);
    if ((i < drawing->field_count || drawing->dropped) && more.column > 0)
        pen_text(&more, PAINT_HEAD, ">");
}

/* The paint of a field of a row that is nothing special. */
static enum paint paint_of(const struct drawing *drawing, const struct field *field)
{
    bool first = true;

    if (field->kind == FIELD_SPARK || field->kind == FIELD_BAR)
        return PAINT_GOOD;
    if (field->kind != FIELD_RATE)
        return PAINT_PLAIN;
    for (const struct field *other = drawing->fields; other < field; other++)
        if (other->kind == FIELD_RATE)
            first = !first;
    return first ? PAINT_RX : PAINT_TX;
}

static void draw_row(struct drawing *drawing, uint32_t place, int line)
{
    const struct list *list = drawing->list;
    uint32_t row = list->order[place];
    const struct tui_row *facts = &list->rows[row];
    bool selected = place == list->selected;
    enum paint whole = selected ? PAINT_SELECTED : facts->gone ? PAINT_DIM : PAINT_PLAIN;
    struct pen pen = pen_at(drawing->terminal, line, 0, -1);

    pen_text(&pen, whole, selected ? ">" : " ");
    pen_text(&pen, whole == PAINT_PLAIN && facts->sick ? PAINT_WARN : whole,
             facts->gone   ? "x"
             : facts->sick ? "!"
                           : " ");
    for (uint32_t i = 0; i < drawing->field_count; i++) {
        const struct field *field = &drawing->fields[i];
        size_t columns = (size_t)field->width;

        if (is_scrolled_away(drawing, i))
            continue;
        if (!has_room(drawing, i, &pen))
            break;
        buf_reset(&drawing->cell);
        if (field->column)
            columns = put_cell(drawing, field, row, &drawing->cell);
        else
            put_graph(drawing, field, row, &drawing->cell);
        draw_padded(&pen, whole == PAINT_PLAIN ? paint_of(drawing, field) : whole, &drawing->cell,
                    columns, field->width, field->right);
        pen_blanks(&pen, whole, 1);
    }
    if (selected)
        pen_fill(&pen, whole);
}

void list_draw(struct list *list, const struct terminal *terminal, const struct tui_answer *answer,
               const struct series *series, const struct list_units *units, int line, int height)
{
    struct drawing drawing = {.list = list,
                              .terminal = terminal,
                              .answer = answer,
                              .series = series,
                              .units = units,
                              .cell = BUF_INIT,
                              .scratch = BUF_INIT};

    list->height = height > 1 ? (uint32_t)height - 1 : 0;
    scroll(list);
    choose_fields(&drawing);
    find_scale(&drawing);
    for (uint32_t i = 0; i < drawing.field_count; i++)
        measure(&drawing, &drawing.fields[i]);
    make_room_for_rates(&drawing);
    shrink(&drawing);
    if (height > 0)
        draw_heading(&drawing, line);
    for (uint32_t place = list->top; place < last_seen(list); place++)
        draw_row(&drawing, place, line + 1 + (int)(place - list->top));
    buf_done(&drawing.cell);
    buf_done(&drawing.scratch);
}
