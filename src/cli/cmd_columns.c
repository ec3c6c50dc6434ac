/* SPDX-License-Identifier: MIT */
/* nwho columns: every column of every table, itself a table. */
#include "cli/session.h"

#include "base/suggest.h"
#include "table/flow_groups.h"

/* The tables, and one that is made when it is needed. */
#define TABLES_MAX 32

struct catalogue {
    const struct table *tables[TABLES_MAX]; /* ends with NULL */
    uint32_t count;
    struct group_plan traffic;
};

/* A row is a column of a table: rows are numbered through all tables (or the one that was asked
 * for). */
static const struct column *find_row(const struct view *view, uint32_t row,
                                     const struct table **ret_table)
{
    for (const struct table *const *table = view->catalogue; *table; table++) {
        *ret_table = *table;
        if (row < (*table)->column_count)
            return &(*table)->columns[row];
        row -= (*table)->column_count;
    }
    return NULL;
}

static uint32_t count_rows(const struct view *view)
{
    uint32_t rows = 0;

    for (const struct table *const *table = view->catalogue; *table; table++)
        rows += (*table)->column_count;
    return rows;
}

/* A name, or nothing: "-" in text, null in JSON. */
static struct value name_or_none(const char *name)
{
    return *name ? value_name(name) : value_none();
}

#define FIELD(name, expression)                                                                    \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        const struct table *table = NULL;                                                          \
        const struct column *column = find_row(view, row, &table);                                 \
        return column ? name_or_none(expression) : value_none();                                   \
    }

FIELD(table, table->name)
FIELD(column, column->name)
FIELD(type, value_kind_info(column->kind)->name)
FIELD(unit, value_kind_info(column->kind)->unit)
FIELD(title, column->title)
FIELD(help, column->help)

static struct value get_shown(const struct view *view, uint32_t row)
{
    const struct table *table = NULL;
    const struct column *column = find_row(view, row, &table);

    return name_or_none(column->flags & COLUMN_TEXT && column->flags & COLUMN_MACHINE ? "text json"
                        : column->flags & COLUMN_TEXT                                 ? "text"
                        : column->flags & COLUMN_MACHINE                              ? "json"
                                                                                      : "");
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column columns[] = {
    {"table", "TABLE", "Table that has the column", KIND_NAME, SHOWN, 0, get_table},
    {"column", "COLUMN", "Name: JSON key, CSV header, word for -o, --sort and filters", KIND_NAME,
     SHOWN, 0, get_column},
    {"type", "TYPE", "Type of the value", KIND_NAME, SHOWN, 0, get_type},
    {"unit", "UNIT", "Unit of the number in JSON and CSV", KIND_NAME, SHOWN, 0, get_unit},
    {"shown", "SHOWN", "Where it is shown without being asked for", KIND_NAME, SHOWN, 0, get_shown},
    {"title", "TITLE", "Heading in the text form", KIND_NAME, 0, 0, get_title},
    {"help", "MEANING", "What it is", KIND_NAME, SHOWN, 0, get_help},
};

static const struct table table_of_columns = {
    .name = "columns",
    .help = "Every column of every table",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = count_rows,
};

static int list_tables(struct catalogue *catalogue)
{
    int r = flow_group_all(&catalogue->traffic);

    if (r == -ENOMEM)
        return command_error("out of memory");
    for (uint32_t i = 0; i < table_count && i + 2 < TABLES_MAX; i++)
        catalogue->tables[catalogue->count++] = tables[i];
    if (r == 0)
        catalogue->tables[catalogue->count++] = &catalogue->traffic.table;
    return 0;
}

/* Leaves one table. */
static int choose_table(struct catalogue *catalogue, const char *word)
{
    struct suggestion best = suggestion_for(word);
    struct buf names = BUF_INIT;

    for (uint32_t i = 0; i < catalogue->count; i++) {
        if (strcmp(catalogue->tables[i]->name, word) == 0) {
            catalogue->tables[0] = catalogue->tables[i];
            catalogue->tables[1] = NULL;
            return 0;
        }
        suggestion_try(&best, catalogue->tables[i]->name);
    }
    if (best.name)
        return command_error("there is no table \"%s\": did you mean %s?", word, best.name);
    for (uint32_t i = 0; i < catalogue->count; i++)
        buf_printf(&names, " %s", catalogue->tables[i]->name);
    command_error("there is no table \"%s\": there are%s", word, buf_string(&names));
    buf_done(&names);
    return EXIT_ERROR;
}

static int run_columns(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_of_columns};
    struct catalogue catalogue = {.count = 0};
    int r = session_begin(&session, options);

    if (r == 0 && options->word_count > 1)
        r = command_error("columns takes one table at most");
    if (r == 0)
        r = list_tables(&catalogue);
    if (r == 0 && options->word_count == 1)
        r = choose_table(&catalogue, options->words[0]);
    if (r == 0)
        r = session_columns(&session, &query, NULL);
    session.catalogue = catalogue.tables;
    if (r == 0)
        r = session_show(&session, &query);
    session_end(&session);
    group_plan_done(&catalogue.traffic);
    return r;
}

static const char *const examples[] = {
    "nwho columns sockets",
    "what -o, --sort and filters of nwho ls know",
    "nwho columns --json",
    "the same for a program",
    NULL,
};

const struct command command_columns = {
    .name = "columns",
    .arguments = "[TABLE]",
    .summary = "names, types, units and meaning of all columns",
    .examples = examples,
    .options = OPTIONS_OUTPUT,
    .run = run_columns,
};
