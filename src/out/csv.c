/* SPDX-License-Identifier: MIT */
/* CSV: fields and their quotes. */
#include "out/csv.h"

#include "base/escape.h"
#include "out/format.h"

static bool has_separator(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == ',' || bytes[i] == ' ')
            return true;
    }
    return false;
}

static void put_text(struct buf *out, const char *bytes, size_t length)
{
    if (length == 0)
        buf_puts(out, "\"\"");
    else if (escape_is_plain(bytes, length) && !has_separator(bytes, length))
        buf_put(out, bytes, length);
    else
        escape_csv(out, bytes, length);
}

static void put_list(struct buf *out, const struct view *view, const struct value *list,
                     struct buf *scratch)
{
    if (list->list.count == 0)
        return;
    buf_reset(scratch);
    format_list(view, list, &(struct list_style){.separator = ";", .reserved = ";(),"}, scratch);
    if (scratch->error && !out->error)
        out->error = scratch->error;
    escape_csv_quotes(out, buf_string(scratch), scratch->length);
}

static void put_field(struct buf *out, const struct view *view, const struct value *value,
                      struct buf *scratch)
{
    switch (value->type) {
    case VALUE_UINT:
        buf_uint(out, value->uint);
        break;
    case VALUE_INT:
        buf_int(out, value->integer);
        break;
    case VALUE_BOOL:
        buf_puts(out, value->boolean ? "true" : "false");
        break;
    case VALUE_STRING:
        put_text(out, value->string.bytes, value->string.length);
        break;
    case VALUE_ADDRESS:
        buf_address(out, value->address.family, value->address.bytes);
        break;
    case VALUE_LIST:
        put_list(out, view, value, scratch);
        break;
    case VALUE_NONE:
        break;
    }
}

static void put_header(const struct grid *grid, struct buf *out)
{
    if (grid->marks)
        buf_puts(out, grid->column_count > 0 ? "change," : "change");
    for (uint32_t i = 0; i < grid->column_count; i++) {
        if (i > 0)
            buf_byte(out, ',');
        put_text(out, grid->columns[i]->name, strlen(grid->columns[i]->name));
    }
    buf_byte(out, '\n');
}

static void put_mark(const struct grid *grid, uint32_t row, struct buf *out)
{
    static const char *const changes[] = {
        [MARK_NONE] = "", [MARK_NEW] = "new", [MARK_CHANGED] = "changed", [MARK_GONE] = "gone"};

    if (!grid->marks)
        return;
    buf_puts(out, changes[grid->marks[row] <= MARK_GONE ? grid->marks[row] : MARK_NONE]);
    if (grid->column_count > 0)
        buf_byte(out, ',');
}

int csv_rows(const struct grid *grid, const char *fields, struct buf *out)
{
    struct buf scratch CLEANUP(buf_done) = BUF_INIT;

    for (uint32_t row = 0; row < grid->row_count && !out->error; row++) {
        const struct view *view = format_view(grid, row);

        buf_puts(out, fields);
        put_mark(grid, row, out);
        for (uint32_t i = 0; i < grid->column_count; i++) {
            struct value value = grid->columns[i]->get(view, grid->rows[row]);

            if (i > 0)
                buf_byte(out, ',');
            put_field(out, view, &value, &scratch);
        }
        buf_byte(out, '\n');
    }
    return out->error;
}

int csv_write(const struct grid *grid, bool no_header, struct buf *out)
{
    if (!no_header)
        put_header(grid, out);
    return csv_rows(grid, "", out);
}
