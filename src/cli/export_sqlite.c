/* SPDX-License-Identifier: MIT */
/* Export as a database of its own: a table for each kind, and one of the processes. */
#include "base/clock.h"
#include "base/escape.h"
#include "cli/export.h"
#include "cli/history.h"
#include "store/plain.h"

#include <errno.h>

/* The columns of a row with its texts, which live until the next row. */
struct row {
    struct plain_value values[PLAIN_COLUMNS_MAX];
    struct buf texts[PLAIN_COLUMNS_MAX];
    uint32_t count;
    int error;
};

struct database {
    struct plain *plain;
    uint32_t processes, pieces; /* tables */
    uint32_t kind;              /* the table of the kind that is read */
    struct row process, row;
};

static void row_done(struct row *row)
{
    for (uint32_t i = 0; i < PLAIN_COLUMNS_MAX; i++)
        buf_done(&row->texts[i]);
}

static void row_init(struct row *row)
{
    for (uint32_t i = 0; i < PLAIN_COLUMNS_MAX; i++)
        row->texts[i] = BUF_INIT;
}

static void add_integer(struct row *row, int64_t number)
{
    row->values[row->count++] = (struct plain_value){.type = PLAIN_INTEGER, .integer = number};
}

/* What was put into the text of the next column. */
static void end_text(struct row *row)
{
    struct buf *text = &row->texts[row->count];

    row->error = text->error ? text->error : row->error;
    row->values[row->count++] = (struct plain_value){
        .type = PLAIN_TEXT, .text = {.bytes = buf_string(text), .length = text->length}};
}

static struct buf *begin_text(struct row *row)
{
    struct buf *text = &row->texts[row->count];

    buf_reset(text);
    return text;
}

static void add_time(struct row *row, uint64_t time_ns)
{
    buf_utc(begin_text(row), time_ns, 3);
    end_text(row);
}

static void add_name(struct row *row, const char *name)
{
    buf_puts(begin_text(row), name);
    end_text(row);
}

/* Numbers that SQLite has no room for become fractions. */
static void add_number(struct row *row, uint64_t number)
{
    if (number <= INT64_MAX)
        add_integer(row, (int64_t)number);
    else
        row->values[row->count++] =
            (struct plain_value){.type = PLAIN_REAL, .real = (double)number};
}

static void add_cell(struct row *row, const struct value *value)
{
    switch (value->type) {
    case VALUE_UINT:
        add_number(row, value->uint);
        return;
    case VALUE_INT:
        add_integer(row, value->integer);
        return;
    case VALUE_BOOL:
        add_integer(row, value->boolean);
        return;
    case VALUE_STRING:
        escape_text(begin_text(row), value->string.bytes, value->string.length);
        end_text(row);
        return;
    case VALUE_ADDRESS:
        buf_address(begin_text(row), value->address.family, value->address.bytes);
        end_text(row);
        return;
    case VALUE_NONE:
    case VALUE_LIST:
        row->values[row->count++] = (struct plain_value){.type = PLAIN_NULL};
        return;
    }
}

/* --- tables --- */

static void add_columns(const struct export_kind *kind, uint32_t first, uint32_t end,
                        struct plain_column *columns, uint32_t *count)
{
    for (uint32_t i = first; i < end && kind->columns[i]; i++) {
        const struct column *column = table_column(kind->table, kind->columns[i]);
        bool number = value_kind_info(column->kind)->number || column->kind == KIND_BOOL;

        columns[(*count)++] =
            (struct plain_column){column->name, number ? PLAIN_INTEGER : PLAIN_TEXT};
    }
}

static int make_common_tables(struct database *database)
{
    static const struct plain_column pieces[] = {
        {"of", PLAIN_TEXT},   {"since", PLAIN_TEXT},      {"until", PLAIN_TEXT},
        {"tier", PLAIN_TEXT}, {"measured_s", PLAIN_REAL}, {"accounting", PLAIN_TEXT},
    };
    struct plain_column columns[PLAIN_COLUMNS_MAX];
    const struct export_kind *flows = &export_kinds[0];
    uint32_t count = 0;
    int r =
        plain_table(database->plain, "piece", pieces, ARRAY_SIZE(pieces), NULL, &database->pieces);

    add_columns(flows, 0, flows->process_columns, columns, &count);
    return r < 0 ? r
                 : plain_table(database->plain, "process", columns, count, "process",
                               &database->processes);
}

static int make_table(struct database *database, const struct export_kind *kind)
{
    struct plain_column columns[PLAIN_COLUMNS_MAX];
    uint32_t count = 0;

    if (kind->measured) {
        columns[count++] = (struct plain_column){"since", PLAIN_TEXT};
        columns[count++] = (struct plain_column){"until", PLAIN_TEXT};
    }
    if (kind->process_columns)
        columns[count++] = (struct plain_column){"process_id", PLAIN_INTEGER};
    add_columns(kind, kind->process_columns, UINT32_MAX, columns, &count);
    return plain_table(database->plain, kind->name, columns, count,
                       kind->measured ? "since" : "time", &database->kind);
}

/* --- rows --- */

static int add_piece(struct database *database, const struct export_pass *pass,
                     const struct store_answer *answer, uint32_t accounting)
{
    struct row *row = &database->row;

    if (!pass->kind->measured)
        return 0;
    row->count = 0;
    add_name(row, pass->kind->name);
    add_time(row, answer->since_ns);
    add_time(row, answer->until_ns);
    add_name(row, history_tier_name(answer->tier));
    row->values[row->count++] = (struct plain_value){
        .type = PLAIN_REAL, .real = (double)pass->kind->measured(answer) / (double)SECOND_NS};
    add_name(row, accounting_level_name(accounting));
    return row->error ? row->error : plain_add(database->plain, database->pieces, row->values);
}

static int find_process(struct database *database, const struct grid *grid, uint32_t at,
                        uint32_t columns, int64_t *ret_id)
{
    struct row *row = &database->process;

    row->count = 0;
    for (uint32_t i = 0; i < columns; i++) {
        struct value value = grid_cell(grid, at, i);

        add_cell(row, &value);
    }
    return row->error ? row->error
                      : plain_find(database->plain, database->processes, row->values, ret_id);
}

static int add_row(struct database *database, const struct export_kind *kind,
                   const struct store_answer *answer, const struct grid *grid, uint32_t at)
{
    struct row *row = &database->row;
    int64_t process = 0;
    int r = kind->process_columns
                ? find_process(database, grid, at, kind->process_columns, &process)
                : 0;

    if (r < 0)
        return r;
    row->count = 0;
    if (kind->measured) {
        add_time(row, answer->since_ns);
        add_time(row, answer->until_ns);
    }
    if (kind->process_columns)
        add_integer(row, process);
    for (uint32_t i = kind->process_columns; i < grid->column_count; i++) {
        struct value value = grid_cell(grid, at, i);

        add_cell(row, &value);
    }
    return row->error ? row->error : plain_add(database->plain, database->kind, row->values);
}

static int take(struct export_pass *pass, const struct store_answer *answer,
                const struct grid *grid)
{
    struct database *database = pass->context;
    int r = add_piece(database, pass, answer, grid->view->snapshot->accounting);

    for (uint32_t i = 0; i < grid->row_count && r == 0; i++)
        r = add_row(database, pass->kind, answer, grid, i);
    return r;
}

static int add_kind(struct export *export, const struct export_kind *kind, void *context)
{
    struct export_pass pass = {.kind = kind, .take = take, .context = context};
    int r = make_table(context, kind);

    return r < 0 ? r : export_read(export, &pass, &export->question);
}

int export_sqlite(struct export *export, const char *path)
{
    struct database database = {.plain = NULL};
    int r = plain_create(path, &database.plain);

    if (r == -EEXIST)
        return command_error("%s exists already: a database is only written to a new file", path);
    if (r < 0)
        return r;
    row_init(&database.process);
    row_init(&database.row);
    r = make_common_tables(&database);
    if (r == 0)
        r = export_each_kind(export, add_kind, &database);
    if (r == 0)
        r = plain_commit(database.plain);
    plain_close(database.plain);
    row_done(&database.process);
    row_done(&database.row);
    return r;
}
