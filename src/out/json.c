/* SPDX-License-Identifier: MIT */
/* JSON: the bytes of every key are put together once, so that a row is mostly copying. */
#include "out/json.h"

#include "base/escape.h"
#include "derive/health/check.h"
#include "out/format.h"

#define LIST_TABLES_MAX 4

/* The columns of an object, and what is written in front of each value: {"name": or ,"name": */
struct shape {
    const struct table *table;
    const struct column **columns; /* owned */
    struct buf keys;
    uint32_t *key_ends; /* owned */
    uint32_t count;
};

struct json {
    const struct grid *grid;
    const char *members; /* each row begins with these; NULL: none */
    struct buf *out;
    struct shape rows;
    struct shape lists[LIST_TABLES_MAX]; /* of the list tables met so far */
};

static void shape_done(struct shape *shape)
{
    free(shape->columns);
    free(shape->key_ends);
    buf_done(&shape->keys);
    *shape = (struct shape){.keys = BUF_INIT};
}

static void json_done(struct json *json)
{
    shape_done(&json->rows);
    for (size_t i = 0; i < LIST_TABLES_MAX; i++)
        shape_done(&json->lists[i]);
}

static int shape_reserve(struct shape *shape, const struct table *table, uint32_t count)
{
    shape_done(shape);
    shape->columns = calloc((size_t)count + 1, sizeof(const struct column *));
    shape->key_ends = calloc((size_t)count + 1, sizeof(*shape->key_ends));
    if (!shape->columns || !shape->key_ends) {
        shape_done(shape);
        return -ENOMEM;
    }
    shape->table = table;
    return 0;
}

/* `first` is what stands in front of the first key. */
static void shape_add(struct shape *shape, const struct column *column, char first)
{
    buf_byte(&shape->keys, shape->count == 0 ? first : ',');
    escape_json(&shape->keys, column->name, strlen(column->name));
    buf_byte(&shape->keys, ':');
    shape->columns[shape->count] = column;
    shape->key_ends[shape->count++] = (uint32_t)shape->keys.length;
}

static int shape_of_grid(struct shape *shape, const struct grid *grid, bool begun)
{
    int error = shape_reserve(shape, grid->table, grid->column_count);

    if (error < 0)
        return error;
    for (uint32_t i = 0; i < grid->column_count; i++)
        shape_add(shape, grid->columns[i], begun ? ',' : '{');
    return shape->keys.error;
}

/* A list within a list is not shown: tables may refer to each other. */
static int shape_of_table(struct shape *shape, const struct table *table, uint32_t flag)
{
    int error = shape_reserve(shape, table, table->column_count);

    if (error < 0)
        return error;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];

        if ((column->flags & flag) && column->kind != KIND_LIST)
            shape_add(shape, column, '{');
    }
    return shape->keys.error;
}

/* The shape of a list's objects, made when it is first met; NULL without memory. */
static const struct shape *list_shape(struct json *json, const struct table *table)
{
    size_t i = 0;

    while (i < LIST_TABLES_MAX - 1 && json->lists[i].table && json->lists[i].table != table)
        i++;
    if (json->lists[i].table != table && shape_of_table(&json->lists[i], table, COLUMN_MACHINE) < 0)
        return NULL;
    return &json->lists[i];
}

static void put_string(struct buf *out, const char *bytes, size_t length)
{
    char *at;

    if (!escape_is_plain(bytes, length)) {
        escape_json(out, bytes, length);
        return;
    }
    at = buf_reserve(out, length + 2);
    if (!at)
        return;
    at[0] = '"';
    if (length > 0) /* no bytes may be NULL */
        memcpy(at + 1, bytes, length);
    at[length + 1] = '"';
    out->length += length + 2;
}

static void put_c_string(struct buf *out, const char *string)
{
    put_string(out, string, strlen(string));
}

static void put_pool_string(struct buf *out, const struct snapshot *snapshot, uint32_t string)
{
    size_t length;
    const char *bytes = snapshot_string(snapshot, string, &length);

    put_string(out, bytes, length);
}

/* Everything but texts and lists, whose size has a bound: at most FORMAT_ADDRESS_MAX + 2 bytes. */
static char *put_small(char *at, const struct value *value)
{
    switch (value->type) {
    case VALUE_UINT:
        return format_uint(at, value->uint);
    case VALUE_INT:
        if (value->integer < 0)
            *at++ = '-';
        return format_uint(at, value->integer < 0 ? 0 - (uint64_t)value->integer
                                                  : (uint64_t)value->integer);
    case VALUE_BOOL:
        memcpy(at, value->boolean ? "true" : "false", 5);
        return at + (value->boolean ? 4 : 5);
    case VALUE_ADDRESS:
        *at++ = '"';
        at = format_address(at, value->address.family, value->address.bytes);
        *at++ = '"';
        return at;
    default:
        memcpy(at, "null", 4);
        return at + 4;
    }
}

static void put_list(struct json *json, const struct view *view, const struct value *list);

/* The keys and values of one row, without the closing brace. */
static void put_members(struct json *json, const struct shape *shape, const struct view *view,
                        uint32_t row)
{
    struct buf *out = json->out;
    uint32_t key = 0;

    for (uint32_t i = 0; i < shape->count; i++) {
        struct value value = shape->columns[i]->get(view, row);
        size_t key_length = shape->key_ends[i] - key;
        char *at = buf_reserve(out, key_length + FORMAT_ADDRESS_MAX + 2);

        if (!at)
            return;
        memcpy(at, shape->keys.data + key, key_length);
        key = shape->key_ends[i];
        at += key_length;
        out->length += key_length;
        if (value.type == VALUE_STRING)
            put_string(out, value.string.bytes, value.string.length);
        else if (value.type == VALUE_LIST)
            put_list(json, view, &value);
        else
            out->length += (size_t)(put_small(at, &value) - at);
    }
}

static void put_list(struct json *json, const struct view *view, const struct value *list)
{
    const struct table *table = list->list.table;
    const struct shape *shape;

    buf_byte(json->out, '[');
    shape = list->list.count > 0 ? list_shape(json, table) : NULL;
    if (list->list.count > 0 && !shape && !json->out->error)
        json->out->error = -ENOMEM;
    for (uint32_t i = 0; shape && i < list->list.count; i++) {
        if (i > 0)
            buf_byte(json->out, ',');
        if (table->is_plain_list) {
            struct value value = table->columns[0].get(view, list->list.first + i);

            put_string(json->out, value.string.bytes, value.string.length);
            continue;
        }
        if (shape->count == 0)
            buf_byte(json->out, '{');
        put_members(json, shape, view, list->list.first + i);
        buf_byte(json->out, '}');
    }
    buf_byte(json->out, ']');
}

static void put_row(struct json *json, uint32_t row)
{
    static const char *const changes[] = {
        [MARK_NONE] = "null",
        [MARK_NEW] = "\"new\"",
        [MARK_CHANGED] = "\"changed\"",
        [MARK_GONE] = "\"gone\"",
    };
    const struct grid *grid = json->grid;

    if (json->members) {
        buf_byte(json->out, '{');
        buf_puts(json->out, json->members);
    } else if (grid->marks) {
        buf_puts(json->out, "{\"change\":");
        buf_puts(json->out, changes[grid->marks[row] <= MARK_GONE ? grid->marks[row] : MARK_NONE]);
    } else if (grid->column_count == 0) {
        buf_byte(json->out, '{');
    }
    put_members(json, &json->rows, format_view(grid, row), grid->rows[row]);
    buf_byte(json->out, '}');
}

static void put_time(struct buf *out, uint64_t time_ns)
{
    buf_byte(out, '"');
    buf_utc(out, time_ns, 9);
    buf_byte(out, '"');
}

static void put_sources(struct buf *out, const struct snapshot *snapshot)
{
    buf_byte(out, '{');
    for (uint32_t i = 0; i < snapshot->sources_count; i++) {
        if (i > 0)
            buf_byte(out, ',');
        put_pool_string(out, snapshot, snapshot->sources[i].fact);
        buf_byte(out, ':');
        put_pool_string(out, snapshot, snapshot->sources[i].source);
    }
    buf_byte(out, '}');
}

static void put_warning(struct buf *out, const struct snapshot *snapshot, const struct note *note)
{
    static const char *const effects[] = {
        [NOTE_INFO] = "info",
        [NOTE_DETAIL] = "detail",
        [NOTE_OWNERS] = "owners",
        [NOTE_INCOMPLETE] = "incomplete",
    };

    buf_puts(out, "{\"source\":");
    put_pool_string(out, snapshot, note->source);
    buf_puts(out, ",\"effect\":");
    put_c_string(out, effects[note->effect < ARRAY_SIZE(effects) ? note->effect : NOTE_DETAIL]);
    buf_puts(out, ",\"error\":");
    if (note->error)
        buf_int(out, note->error < 0 ? -(int64_t)note->error : note->error);
    else
        buf_puts(out, "null");
    buf_puts(out, ",\"text\":");
    put_pool_string(out, snapshot, note->text);
    buf_byte(out, '}');
}

static void put_warnings(struct buf *out, const struct snapshot *snapshot)
{
    bool any = false;

    buf_byte(out, '[');
    for (uint32_t i = 0; i < snapshot->notes_count; i++) {
        if (snapshot->notes[i].effect == NOTE_INFO)
            continue;
        if (any)
            buf_byte(out, ',');
        put_warning(out, snapshot, &snapshot->notes[i]);
        any = true;
    }
    buf_byte(out, ']');
}

static void put_origin(const struct table *table, const struct snapshot *snapshot, struct buf *out)
{
    buf_puts(out, "{\"schema\":\"nwho/1\",\"host\":");
    put_pool_string(out, snapshot, snapshot->host);
    buf_puts(out, ",\"time\":");
    put_time(out, snapshot->time_ns);
    buf_puts(out, ",\"table\":");
    put_c_string(out, table->name);
}

static void put_quality(const struct snapshot *snapshot, struct buf *out)
{
    buf_puts(out, snapshot->incomplete ? ",\"complete\":false" : ",\"complete\":true");
    if (snapshot->accounting != ACCOUNTING_NONE) {
        buf_puts(out, ",\"accounting\":");
        put_c_string(out, accounting_level_name(snapshot->accounting));
    }
    if (snapshot->window_ns[FLOW_LAST]) {
        buf_puts(out, ",\"window_ms\":");
        buf_uint(out, snapshot->window_ns[FLOW_LAST] / 1000000);
    }
    buf_puts(out, ",\n\"sources\":");
    put_sources(out, snapshot);
    buf_puts(out, ",\n\"warnings\":");
    put_warnings(out, snapshot);
}

static void put_head(const struct grid *grid, struct buf *out)
{
    put_origin(grid->table, grid->view->snapshot, out);
    put_quality(grid->view->snapshot, out);
}

static int put_rows(const struct grid *grid, const char *members, const char *between,
                    struct buf *out)
{
    struct json json CLEANUP(json_done) = {.grid = grid, .members = members, .out = out};
    int error = shape_of_grid(&json.rows, grid, members || grid->marks);

    if (error < 0)
        return error;
    for (uint32_t row = 0; row < grid->row_count && !out->error; row++) {
        if (row > 0)
            buf_puts(out, between);
        put_row(&json, row);
    }
    return out->error;
}

/* Beside the rows of traffic: what the bytes of each interface are made of. */
static int put_interfaces(const struct grid *grid, struct buf *out)
{
    struct json json CLEANUP(json_done) = {.grid = grid, .out = out};
    const struct view *view = grid->view;
    int error;

    if (view->snapshot->accounting == ACCOUNTING_NONE || !view->links)
        return 0;
    error = shape_of_table(&json.rows, &table_interfaces, COLUMN_BESIDE);
    buf_puts(out, ",\n\"interfaces\":[");
    for (uint32_t i = 0; i < view->snapshot->interfaces_count && error == 0; i++) {
        buf_puts(out, i > 0 ? ",\n" : "\n");
        put_members(&json, &json.rows, view, i);
        buf_byte(out, '}');
        error = out->error;
    }
    buf_byte(out, ']');
    return error;
}

/* Beside findings: what was examined, what that found, and what could not be seen. */
static void put_checks(const struct grid *grid, struct buf *out)
{
    const struct findings *findings = grid->view->findings;

    if (grid->table != &table_findings || !findings)
        return;
    if (findings->window_ns) {
        buf_puts(out, ",\"window_ms\":");
        buf_uint(out, findings->window_ns / 1000000);
    }
    buf_puts(out, ",\n\"checks\":[");
    for (uint32_t i = 0; i < findings->result_count; i++) {
        const struct check_result *result = &findings->results[i];

        buf_printf(out, "%s{\"check\":\"%s\",\"findings\":%u,\"skipped\":", i > 0 ? ",\n" : "\n",
                   result->check->name, result->findings);
        if (result->skipped)
            put_c_string(out, result->skipped);
        else
            buf_puts(out, "null");
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

/* What the doctor finds, beside other rows. */
static int put_findings(const struct grid *grid, struct buf *out)
{
    struct json json CLEANUP(json_done) = {.grid = grid, .out = out};
    const struct view *view = grid->view;
    uint32_t count;
    int error;

    if (!view->findings || grid->table == &table_findings)
        return 0;
    count = table_findings.row_count(view);
    error = shape_of_table(&json.rows, &table_findings, COLUMN_MACHINE);
    buf_puts(out, ",\n\"findings\":[");
    for (uint32_t i = 0; i < count && error == 0; i++) {
        buf_puts(out, i > 0 ? ",\n" : "\n");
        put_members(&json, &json.rows, view, i);
        buf_byte(out, '}');
        error = out->error;
    }
    buf_byte(out, ']');
    return error;
}

int json_write(const struct grid *grid, struct buf *out)
{
    int error;

    put_head(grid, out);
    put_checks(grid, out);
    error = put_interfaces(grid, out);
    if (error == 0)
        error = put_findings(grid, out);
    if (error < 0)
        return error;
    buf_puts(out, ",\n\"rows\":[");
    if (grid->row_count > 0)
        buf_byte(out, '\n');
    error = put_rows(grid, NULL, ",\n", out);
    if (error < 0)
        return error;
    buf_puts(out, grid->row_count > 0 ? "\n]}\n" : "]}\n");
    return out->error;
}

int json_begin(const struct table *table, const struct snapshot *snapshot, struct buf *out)
{
    put_origin(table, snapshot, out);
    buf_puts(out, ",\n\"rows\":[");
    return out->error;
}

int json_more(const struct grid *grid, bool *first, struct buf *out)
{
    if (grid->row_count == 0)
        return out->error;
    buf_puts(out, *first ? "\n" : ",\n");
    *first = false;
    return put_rows(grid, NULL, ",\n", out);
}

int json_end(const struct snapshot *snapshot, const char *more, struct buf *out)
{
    buf_puts(out, "\n],\n\"ended\":");
    put_time(out, snapshot->time_ns);
    put_quality(snapshot, out);
    buf_puts(out, more);
    buf_puts(out, "}\n");
    return out->error;
}

int jsonl_write(const struct grid *grid, const char *members, struct buf *out)
{
    int error = put_rows(grid, members, "\n", out);

    if (error < 0)
        return error;
    if (grid->row_count > 0)
        buf_byte(out, '\n');
    return out->error;
}
