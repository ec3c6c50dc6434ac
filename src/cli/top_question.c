/* SPDX-License-Identifier: MIT */
/* What the screen of `nwho top` asks, as queries: filters, groups, columns, order. */
#include "cli/top_screen.h"

#include "table/flow_groups.h"

#include <stdio.h>

/* --- windows --- */

static struct value both_2s(const struct view *view, uint32_t row)
{
    return value_uint(top_number(view, row, "rx_rate_2s") + top_number(view, row, "tx_rate_2s"));
}

static struct value both_10s(const struct view *view, uint32_t row)
{
    return value_uint(top_number(view, row, "rx_rate_10s") + top_number(view, row, "tx_rate_10s"));
}

static struct value both_60s(const struct view *view, uint32_t row)
{
    return value_uint(top_number(view, row, "rx_rate_60s") + top_number(view, row, "tx_rate_60s"));
}

static struct value both_total(const struct view *view, uint32_t row)
{
    return value_uint(top_number(view, row, "rx_bytes") + top_number(view, row, "tx_bytes"));
}

static struct value both_last(const struct view *view, uint32_t row)
{
    return value_uint(top_number(view, row, "rx_rate") + top_number(view, row, "tx_rate"));
}

#define BOTH(name_, title_, get_)                                                                  \
    {                                                                                              \
        .name = name_, .title = title_, .kind = KIND_COUNT, .get = get_                            \
    }

const struct column top_both_ways[TOP_TIME_MAX] = {
    [TOP_LAST] = BOTH("rate", "RATE", both_last),     [TOP_2S] = BOTH("rate", "RATE", both_2s),
    [TOP_10S] = BOTH("rate", "RATE", both_10s),       [TOP_60S] = BOTH("rate", "RATE", both_60s),
    [TOP_TOTAL] = BOTH("bytes", "BYTES", both_total),
};

/* The column of a window that stands in the place of this one. */
static const struct column *in_window(const struct table *table, const struct column *column,
                                      const char *window)
{
    const struct column *found;
    char name[32];

    if (strcmp(column->name, "rx_rate") != 0 && strcmp(column->name, "tx_rate") != 0)
        return column;
    snprintf(name, sizeof(name), "%s_%s", column->name, window);
    found = table_column(table, name);
    return found ? found : column;
}

/* --- queries --- */

int top_use_plan(struct top_screen *screen, uint32_t grouping)
{
    struct group_plan *plan = &screen->plans[grouping];
    struct buf error = BUF_INIT;
    int r = 0;

    if (!plan->table.columns)
        r = flow_group_plan(screen->groupings[grouping].name, plan, &error);
    if (r == 0 && screen->frames->plan)
        screen->frames->plan(plan);
    if (r == -EINVAL)
        command_error("%s", buf_string(&error));
    buf_done(&error);
    return r;
}

static void choose_columns(struct top_screen *screen, const struct table *table, const char *window)
{
    struct query *groups = &screen->groups;

    groups->column_count = 0;
    for (uint32_t i = 0; i < table->column_count; i++)
        if (table->columns[i].flags & COLUMN_TEXT && groups->column_count < QUERY_COLUMNS_MAX)
            groups->columns[groups->column_count++] = in_window(table, &table->columns[i], window);
}

static void choose_sort(struct top_screen *screen, const struct tui_question *question)
{
    struct query *groups = &screen->groups;
    const struct column *usual = screen->usual[question->window], *named = NULL;

    groups->sort_count = 0;
    if (strcmp(question->sort, "rate") == 0 || strcmp(question->sort, usual->name) == 0)
        named = usual; /* reversed: of every window its own */
    else if (*question->sort)
        named = table_column(groups->table, question->sort);
    if (named)
        groups->sort[groups->sort_count++] =
            (struct sort_key){.column = named, .descending = question->descending};
    groups->sort[groups->sort_count++] = (struct sort_key){.column = usual, .descending = true};
    groups->sort[groups->sort_count++] =
        (struct sort_key){.column = &top_both_ways[TOP_TOTAL], .descending = true};
}

/* The columns by which rows are grouped, so that what they need is read. */
static struct query rows_query(const struct top_screen *screen, uint32_t grouping)
{
    struct query rows = {.table = &table_flows, .filter = screen->filter};

    flow_group_keys(&screen->plans[grouping], &rows);
    return rows;
}

/* The filter of flows and that of groups; the second has nothing to give back. */
static int filter_for(const struct top_screen *screen, uint32_t grouping, const char *text,
                      struct arena *arena, struct filter *ret_filters[2],
                      struct filter_error *ret_error)
{
    int r = filter_compile(&table_flows, text, arena, &ret_filters[0], ret_error);

    if (r < 0)
        return r;
    r = filter_split(ret_filters[0], &screen->plans[grouping].table, arena, &ret_filters[1],
                     ret_error);
    if (r < 0)
        filter_done(ret_filters[0]);
    return r;
}

static int compile_filter(struct top_screen *screen, uint32_t grouping, const char *text)
{
    struct filter *filters[2] = {NULL, NULL};
    struct filter_error error;
    int r;

    filter_done(screen->filter);
    screen->filter = screen->groups_filter = NULL;
    arena_done(&screen->arena);
    r = filter_for(screen, grouping, text, &screen->arena, filters, &error);
    if (r == -EINVAL)
        command_error("filter: %s", error.message);
    if (r < 0)
        return r;
    screen->filter = filters[0];
    screen->groups_filter = filters[1];
    screen->filter_grouping = grouping;
    return 0;
}

/* Compiles the filter of the question, unless it is the one that is there. */
static int use_filter(struct top_screen *screen, const struct tui_question *question)
{
    struct buf text = BUF_INIT;
    int r = 0;

    if (*question->within)
        buf_printf(&text, "(%s)", question->within);
    if (*question->filter)
        buf_printf(&text, "%s(%s)", text.length ? " and " : "", question->filter);
    if (question->no_loopback)
        buf_printf(&text, "%s" TOP_WITHOUT_LOOPBACK, text.length ? " and " : "");
    if (!screen->filter || screen->filter_grouping != question->grouping ||
        strcmp(buf_string(&text), buf_string(&screen->filter_text)) != 0)
        r = compile_filter(screen, question->grouping, buf_string(&text));
    buf_done(&screen->filter_text);
    screen->filter_text = text;
    return r;
}

/* Reads, with what the rows of this grouping need; *ret_more: something was not read before. */
static int plan_needs(struct top_screen *screen, uint32_t grouping, bool *ret_more)
{
    struct query rows = rows_query(screen, grouping);
    struct session *session = &screen->session;

    session->request.needs = NEED_FLOWS;
    if (session_plan_also(session, &rows))
        return -ENOMEM;
    screen->about = session->request.needs;
    session->request.needs |= NEED_CGROUP | NEED_LINKS | NEED_FORWARDED;
    if (session_plan_also(session, &screen->groups))
        return -ENOMEM;
    *ret_more = (session->request.needs & ~screen->needs_read) != 0;
    return 0;
}

static int make_groups(struct top_screen *screen, uint32_t grouping, struct grid *ret_grid)
{
    struct frame *frame = screen->session.now;
    struct query rows = rows_query(screen, grouping);
    struct grid grid;
    int r = query_run(&rows, &frame->view, &grid);

    if (r < 0)
        return r;
    group_done(&frame->group);
    frame->group = (struct group){0};
    r = group_make(&screen->plans[grouping], &grid, &frame->group);
    grid_done(&grid);
    return r == 0 ? query_run(&screen->groups, &frame->view, ret_grid) : r;
}

/* --- what the screen calls --- */

int top_prepare(struct top_screen *screen, const struct tui_question *question, bool *ret_more)
{
    int r = top_use_plan(screen, question->grouping);

    if (r == 0)
        r = use_filter(screen, question);
    if (r < 0)
        return r;
    screen->groups.table = &screen->plans[question->grouping].table;
    choose_columns(screen, screen->groups.table, screen->windows[question->window].name);
    choose_sort(screen, question);
    screen->groups.filter = screen->groups_filter;
    return plan_needs(screen, question->grouping, ret_more);
}

int top_answer(void *context, const struct tui_question *question, struct tui_answer *ret_answer)
{
    struct top_screen *screen = context;
    int r = top_prepare(screen, question, &ret_answer->incomplete);

    if (r == 0 && screen->frames->choose)
        r = screen->frames->choose(screen, question);
    if (r == 0)
        r = make_groups(screen, question->grouping, &ret_answer->grid);
    ret_answer->sort = screen->groups.sort[0].column;
    ret_answer->descending = screen->groups.sort[0].descending;
    return r;
}

int top_check(void *context, uint32_t grouping, const char *filter, struct filter_error *ret_error)
{
    struct top_screen *screen = context;
    struct filter *filters[2] = {NULL, NULL};
    struct arena arena = {0};
    int r = top_use_plan(screen, grouping);

    if (r == 0)
        r = filter_for(screen, grouping, filter, &arena, filters, ret_error);
    if (r == 0)
        filter_done(filters[0]);
    arena_done(&arena);
    return r;
}
