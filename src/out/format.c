/* SPDX-License-Identifier: MIT */
/* Format: one cell as text. */
#include "out/format.h"

#include "base/escape.h"

#include <sys/socket.h>

#define LIST_ROWS_IN_TEXT 3

const struct view *format_view(const struct grid *grid, uint32_t row)
{
    return grid->gone_view && grid->marks && grid->marks[row] == MARK_GONE ? grid->gone_view
                                                                           : grid->view;
}

/* A value within a list, not escaped. */
static void put_raw(const struct value *value, struct buf *out)
{
    switch (value->type) {
    case VALUE_STRING:
        buf_put(out, value->string.bytes, value->string.length);
        break;
    case VALUE_ADDRESS:
        buf_address(out, value->address.family, value->address.bytes);
        break;
    case VALUE_UINT:
        buf_uint(out, value->uint);
        break;
    case VALUE_INT:
        buf_int(out, value->integer);
        break;
    case VALUE_BOOL:
        buf_puts(out, value->boolean ? "yes" : "no");
        break;
    case VALUE_LIST:
        buf_uint(out, value->list.count);
        break;
    case VALUE_NONE:
        buf_byte(out, '-');
        break;
    }
}

static const struct column *list_name_column(const struct table *table)
{
    if (table->list_name)
        return table_column(table, table->list_name);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].kind == KIND_TEXT)
            return &table->columns[i];
    }
    return NULL;
}

static void put_list_name(const struct value *value, const struct list_style *style,
                          struct buf *out)
{
    if (style->reserved && value->type == VALUE_STRING)
        escape_part(out, value->string.bytes, value->string.length, style->reserved);
    else
        put_raw(value, out);
}

static void put_list_row(const struct view *view, const struct table *table, uint32_t row,
                         const struct list_style *style, struct buf *out)
{
    const struct column *name = list_name_column(table);
    char separator = '(';

    if (name) {
        struct value value = name->get(view, row);

        put_list_name(&value, style, out);
    }
    for (const struct column *c = table->columns; c < table->columns + table->column_count; c++) {
        struct value value;

        if (!(c->flags & COLUMN_KEY) || c == name)
            continue;
        value = c->get(view, row);
        buf_byte(out, separator);
        put_raw(&value, out);
        separator = ',';
    }
    if (separator == ',')
        buf_byte(out, ')');
}

void format_list(const struct view *view, const struct value *list, const struct list_style *style,
                 struct buf *out)
{
    uint32_t count = list->list.count;
    uint32_t shown = style->limit && count > style->limit ? style->limit : count;

    for (uint32_t i = 0; i < shown; i++) {
        if (i > 0)
            buf_puts(out, style->separator);
        put_list_row(view, list->list.table, list->list.first + i, style, out);
    }
    if (shown < count) {
        buf_puts(out, style->separator);
        buf_byte(out, '+');
        buf_uint(out, count - shown);
    }
}

static size_t put_plain(struct buf *out, const char *bytes, size_t length)
{
    buf_put(out, bytes, length);
    return length;
}

static size_t put_text(struct buf *out, const char *bytes, size_t length)
{
    if (length == 0)
        return put_plain(out, "\"\"", 2);
    if (escape_is_plain(bytes, length))
        return put_plain(out, bytes, length);
    return escape_text(out, bytes, length);
}

static size_t put_address(const struct view *view, const struct value *value, struct buf *out)
{
    const char *name = view->resolve ? view->resolve(view->resolve_context, value) : NULL;
    char *at, *end;

    if (name)
        return put_text(out, name, strlen(name));
    at = buf_reserve(out, FORMAT_ADDRESS_MAX);
    if (!at)
        return 0;
    end = format_address(at, value->address.family, value->address.bytes);
    out->length += (size_t)(end - at);
    return (size_t)(end - at);
}

static size_t put_uint(uint64_t number, struct buf *out)
{
    char *at = buf_reserve(out, FORMAT_UINT_MAX), *end;

    if (!at)
        return 0;
    end = format_uint(at, number);
    out->length += (size_t)(end - at);
    return (size_t)(end - at);
}

static size_t put_number(const struct format *format, enum value_kind kind, uint64_t number,
                         struct buf *out)
{
    enum unit unit = value_kind_unit(kind);
    size_t start = out->length;

    if (kind == KIND_HEX) {
        buf_puts(out, "0x");
        buf_hex(out, number);
        return out->length - start;
    }
    if (format->exact || unit == UNIT_NONE || unit == UNIT_COUNT)
        return put_uint(number, out);
    if (format->bits && unit == UNIT_BYTES_PER_SECOND)
        return units_write_bit_rate(out, number);
    return units_write(out, unit, number);
}

static size_t put_int(const struct format *format, enum value_kind kind, int64_t number,
                      struct buf *out)
{
    if (number >= 0)
        return put_number(format, kind, (uint64_t)number, out);
    buf_byte(out, '-');
    return 1 + put_number(format, kind, 0 - (uint64_t)number, out);
}

static size_t put_list(const struct format *format, const struct value *value, struct buf *out)
{
    struct buf *text = format->scratch;

    if (value->list.count == 0)
        return put_plain(out, "-", 1);
    buf_reset(text);
    format_list(format->view, value,
                &(struct list_style){.limit = LIST_ROWS_IN_TEXT, .separator = " "}, text);
    if (text->error && !out->error)
        out->error = text->error;
    return put_text(out, text->data, text->length);
}

size_t format_cell(const struct format *format, const struct column *column,
                   const struct value *value, struct buf *out)
{
    switch (value->type) {
    case VALUE_UINT:
        return put_number(format, column->kind, value->uint, out);
    case VALUE_INT:
        return put_int(format, column->kind, value->integer, out);
    case VALUE_BOOL:
        return value->boolean ? put_plain(out, "yes", 3) : put_plain(out, "no", 2);
    case VALUE_STRING:
        return put_text(out, value->string.bytes, value->string.length);
    case VALUE_ADDRESS:
        return put_address(format->view, value, out);
    case VALUE_LIST:
        return put_list(format, value, out);
    case VALUE_NONE:
        break;
    }
    return put_plain(out, "-", 1);
}
