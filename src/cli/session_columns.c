/* SPDX-License-Identifier: MIT */
/* The columns of a query: -o, --json=..., the usual ones; and its sort keys. */
#include "cli/session.h"

/* Of groups the columns depend on what they are counted by: no table has a list of them. */
static int unknown_column(const struct table *table, const char *name, const char *option)
{
    const char *near = table_suggest_column(table, name);
    struct buf columns = BUF_INIT;
    int r;

    if (near)
        return command_error("%s: no column \"%s\" in %s: did you mean %s?", option, name,
                             table->name, near);
    if (table->row_count != group_rows || table->needs & NEED_FLOWS)
        return command_error("%s: no column \"%s\" in %s (nwho columns %s lists them)", option,
                             name, table->name, table->name);
    for (uint32_t i = 0; i < table->column_count; i++)
        buf_printf(&columns, " %s", table->columns[i].name);
    r = command_error("%s: no column \"%s\" in %s, which have%s", option, name, table->name,
                      buf_string(&columns));
    buf_done(&columns);
    return r;
}

static int add_column(struct query *query, const struct column *column)
{
    for (uint32_t i = 0; i < query->column_count; i++)
        if (query->columns[i] == column)
            return 0;
    if (query->column_count == QUERY_COLUMNS_MAX)
        return command_error("too many columns");
    query->columns[query->column_count++] = column;
    return 0;
}

static int add_flagged(struct query *query, uint32_t flags)
{
    int r = 0;

    for (uint32_t i = 0; i < query->table->column_count && r == 0; i++)
        if ((query->table->columns[i].flags & flags) == flags)
            r = add_column(query, &query->table->columns[i]);
    return r;
}

/* Not those put together from others, nor, unless that is done anyway, those that take a second
 * reading. */
static int add_all(const struct session *session, struct query *query)
{
    int r = 0;

    for (uint32_t i = 0; i < query->table->column_count && r == 0; i++) {
        const struct column *column = &query->table->columns[i];

        if (!(column->flags & COLUMN_COMPOSED) &&
            (session->window || !(column->needs & NEED_WINDOW)))
            r = add_column(query, column);
    }
    return r;
}

/* Calls `fn` for each word of a list separated by commas. */
static int for_each_word(const struct session *session, const char *list,
                         int (*fn)(const struct session *session, struct query *query, char *word,
                                   const char *option),
                         struct query *query, const char *option)
{
    CLEANUP_FREE char *copy = strdup(list);
    char *rest = copy, *word;
    int r = 0;

    if (!copy)
        return command_error("out of memory");
    while (r == 0 && (word = strsep(&rest, ",")))
        if (*word)
            r = fn(session, query, word, option);
    return r;
}

/* A column by its name, or by the short word that filters know it by ("rtt"). */
static const struct column *find_column(const struct table *table, const char *name)
{
    const struct column *column = table_column(table, name);
    const char *word, *stands_for;

    for (uint32_t i = 0; !column && filter_alias_help(i, &word, &stands_for); i++)
        if (strcmp(word, name) == 0)
            column = table_column(table, stands_for);
    return column;
}

static int add_named(const struct session *session, struct query *query, char *word,
                     const char *option)
{
    const struct column *column = find_column(query->table, word);

    if (strcmp(word, "all") == 0)
        return add_all(session, query);
    return column ? add_column(query, column) : unknown_column(query->table, word, option);
}

static int add_sort_key(const struct session *session, struct query *query, char *word,
                        const char *option)
{
    char *direction = strchr(word, ':');
    const struct column *column;

    (void)session;
    if (direction)
        *direction++ = '\0';
    if (direction && strcmp(direction, "desc") != 0 && strcmp(direction, "asc") != 0)
        return command_error("--sort: \"%s\" is neither asc nor desc", direction);
    column = find_column(query->table, word);
    if (!column)
        return unknown_column(query->table, word, option);
    if (query->sort_count == ARRAY_SIZE(query->sort))
        return command_error("--sort takes %zu keys at most", ARRAY_SIZE(query->sort));
    query->sort[query->sort_count++] = (struct sort_key){
        .column = column, .descending = direction && strcmp(direction, "desc") == 0};
    return 0;
}

/* What is counted between two readings: all, or what the filter asks for and so is counted. */
static int add_window(const struct session *session, struct query *query)
{
    int r = 0;

    for (uint32_t i = 0; i < query->table->column_count && r == 0; i++) {
        const struct column *column = &query->table->columns[i];

        if (column->needs & NEED_WINDOW &&
            (session->window || (session->words && filter_mentions(session->words, column->name))))
            r = add_column(query, column);
    }
    return r;
}

/* What is shown when nobody names columns, or before the columns that -o + adds. */
static int add_default(struct session *session, struct query *query, const char *usual)
{
    const struct options *options = session->options;
    const struct column *netns = table_column(query->table, "netns");
    const struct column *threads = table_column(query->table, "threads");
    bool several = options->all_netns || session->request.netns_count > 1;
    int r = 0;

    if (options->format != FORMAT_TEXT)
        r = add_flagged(query, COLUMN_MACHINE);
    else if (several && netns)
        r = add_column(query, netns);
    if (r == 0 && options->format == FORMAT_TEXT)
        r = usual ? for_each_word(session, usual, add_named, query, "columns")
                  : add_flagged(query, COLUMN_TEXT);
    if (r == 0)
        r = add_window(session, query);
    return r == 0 && options->threads && threads ? add_column(query, threads) : r;
}

int session_columns(struct session *session, struct query *query, const char *usual)
{
    const struct options *options = session->options;
    const char *list = options->columns;
    int r = 0;

    if (!list || *list == '+')
        r = add_default(session, query, usual);
    if (r == 0 && list)
        r = for_each_word(session, *list == '+' ? list + 1 : list, add_named, query,
                          options->columns_option);
    if (r == 0 && options->sort)
        r = for_each_word(session, options->sort, add_sort_key, query, "--sort");
    if (r == 0 && query->column_count == 0)
        return command_error("%s names no column", options->columns_option);
    query->limit = options->limit;
    return r;
}

void session_mark(struct session *session, struct query *query)
{
    const struct options *options = session->options;
    const struct column *sick = table_column(query->table, "sick");

    if (sick && sick->flags & COLUMN_MARK && options->format == FORMAT_TEXT && !options->columns &&
        !session->groups && query->column_count < QUERY_COLUMNS_MAX)
        query->columns[query->column_count++] = sick;
}
