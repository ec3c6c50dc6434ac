/* SPDX-License-Identifier: MIT */
/* The interactive form of `nwho top`: the screen's questions become queries. */
#include "cli/top_screen.h"

#include "base/clock.h"
#include "collect/accounting.h"
#include "out/color.h"
#include "table/flow_groups.h"

#include <signal.h>
#include <stdio.h>

/* --- windows: the first three have a rate of their own --- */

const struct tui_choice top_windows[TOP_WINDOWS] = {
    {"2s", "mean of the last 2 seconds"},
    {"10s", "mean of the last 10 seconds"},
    {"60s", "mean of the last minute"},
    {"total", "rates since the reading before, sorted by what was counted in all"},
};

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

/* What rows are sorted by unless a column is named. */
static const struct column both_ways[TOP_WINDOWS] = {
    {.name = "rate", .title = "RATE", .kind = KIND_COUNT, .get = both_2s},
    {.name = "rate", .title = "RATE", .kind = KIND_COUNT, .get = both_10s},
    {.name = "rate", .title = "RATE", .kind = KIND_COUNT, .get = both_60s},
    {.name = "bytes", .title = "BYTES", .kind = KIND_COUNT, .get = both_total},
};

/* The column of a window that stands in the place of this one. */
static const struct column *in_window(const struct table *table, const struct column *column,
                                      uint32_t window)
{
    const struct column *found;
    char name[32];

    if (window + 1 == TOP_WINDOWS ||
        (strcmp(column->name, "rx_rate") != 0 && strcmp(column->name, "tx_rate") != 0))
        return column;
    snprintf(name, sizeof(name), "%s_%s", column->name, top_windows[window].name);
    found = table_column(table, name);
    return found ? found : column;
}

/* --- queries --- */

static int use_plan(struct top_screen *screen, uint32_t grouping)
{
    struct group_plan *plan = &screen->plans[grouping];
    struct buf error = BUF_INIT;
    int r = 0;

    if (!plan->table.columns)
        r = flow_group_plan(screen->groupings[grouping].name, plan, &error);
    if (r == -EINVAL)
        command_error("%s", buf_string(&error));
    buf_done(&error);
    return r;
}

static void choose_columns(struct top_screen *screen, const struct table *table, uint32_t window)
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
    const struct column *usual = &both_ways[question->window], *named = NULL;

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
        (struct sort_key){.column = &both_ways[TOP_WINDOWS - 1], .descending = true};
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

static int take(struct top_screen *screen)
{
    if (session_take(&screen->session) != 0)
        return -EIO;
    screen->needs_read = screen->session.request.needs;
    top_take_interfaces(screen);
    return top_apply_zero(screen);
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

/*
 * Sockets are looked at in two readings after each other, as some illnesses are in the difference,
 * and then for so long not again that it takes no more than this part of the time.
 */
#define LOOK_PART 50
#define LOOK_NEEDS (NEED_SOCKETS | NEED_TCP_INFO | NEED_MEMORY)

static int look(struct top_screen *screen)
{
    uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    int r = take(screen);

    if (screen->looks_again)
        screen->next_look_ns =
            clock_ns(CLOCK_MONOTONIC) +
            (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) * (uint64_t)2 * LOOK_PART;
    screen->looks_again = !screen->looks_again;
    return r;
}

static int refresh(void *context)
{
    struct top_screen *screen = context;
    uint64_t needs = screen->session.request.needs;
    int r;

    if (!screen->looks_again && clock_ns(CLOCK_MONOTONIC) < screen->next_look_ns)
        return take(screen);
    screen->session.request.needs |= LOOK_NEEDS;
    r = look(screen);
    screen->session.request.needs = needs;
    return r;
}

static int drain(void *context)
{
    struct top_screen *screen = context;

    return accounting_drain(screen->session.accounting);
}

/* Makes the question the query of the groups; *ret_more: something that it needs was not read. */
static int prepare(struct top_screen *screen, const struct tui_question *question, bool *ret_more)
{
    int r = use_plan(screen, question->grouping);

    if (r == 0)
        r = use_filter(screen, question);
    if (r < 0)
        return r;
    screen->groups.table = &screen->plans[question->grouping].table;
    choose_columns(screen, screen->groups.table, question->window);
    choose_sort(screen, question);
    screen->groups.filter = screen->groups_filter;
    return plan_needs(screen, question->grouping, ret_more);
}

/* It never reads: the rates would be those of the moment since the last reading. */
static int answer(void *context, const struct tui_question *question, struct tui_answer *ret_answer)
{
    struct top_screen *screen = context;
    int r = prepare(screen, question, &ret_answer->incomplete);

    if (r == 0)
        r = make_groups(screen, question->grouping, &ret_answer->grid);
    ret_answer->sort = screen->groups.sort[0].column;
    ret_answer->descending = screen->groups.sort[0].descending;
    return r;
}

static int check(void *context, uint32_t grouping, const char *filter,
                 struct filter_error *ret_error)
{
    struct top_screen *screen = context;
    struct filter *filters[2] = {NULL, NULL};
    struct arena arena = {0};
    int r = use_plan(screen, grouping);

    if (r == 0)
        r = filter_for(screen, grouping, filter, &arena, filters, ret_error);
    if (r == 0)
        filter_done(filters[0]);
    arena_done(&arena);
    return r;
}

/* --- start and end --- */

/* The groupings that have a name, and before them one that was put together (--by peer/24). */
static uint32_t list_groupings(struct top_screen *screen, const char *by)
{
    const char *word, *help;
    uint32_t wanted = UINT32_MAX;

    for (uint32_t i = 0; screen->grouping_count + 1 < TOP_GROUPINGS; i++) {
        if (!flow_grouping(i, &word, &help))
            break;
        if (by && strcmp(by, word) == 0)
            wanted = i;
        screen->groupings[screen->grouping_count++] = (struct tui_choice){word, help};
    }
    if (!by || wanted != UINT32_MAX)
        return by ? wanted : 0;
    screen->groupings[screen->grouping_count] = (struct tui_choice){by, "as --by has it"};
    return screen->grouping_count++;
}

static uint32_t find_grouping(const struct top_screen *screen, const char *name)
{
    for (uint32_t i = 0; i < screen->grouping_count; i++)
        if (strcmp(screen->groupings[i].name, name) == 0)
            return i;
    return 0;
}

static int take_filter(struct top_screen *screen, struct tui_settings *settings)
{
    struct session *session = &screen->session;
    struct query query = {.table = &table_flows};
    struct buf words = BUF_INIT;
    int r;

    for (uint32_t i = 0; i < screen->options->word_count; i++) {
        buf_puts(&words, i ? " " : "");
        session_put_word(session, &table_flows, screen->options->words[i], &words);
    }
    r = session_filter_text(session, &query, NULL, buf_string(&words));
    if (r == 0 && words.length >= sizeof(settings->filter))
        r = command_error("the filter is too long for the screen; --batch takes it");
    if (r == 0)
        memcpy(settings->filter, buf_string(&words), words.length);
    buf_done(&words);
    return r;
}

/* The first key of --sort; a wrong one is told. */
static int take_sort(struct top_screen *screen, struct tui_settings *settings)
{
    struct query query = {.table = screen->groups.table};

    if (session_columns(&screen->session, &query, NULL) != 0)
        return EXIT_ERROR;
    if (query.sort_count) {
        snprintf(settings->sort, sizeof(settings->sort), "%s", query.sort[0].column->name);
        settings->descending = query.sort[0].descending;
    }
    return 0;
}

static int begin(struct top_screen *screen, const struct options *options,
                 struct tui_settings *settings)
{
    int r = session_begin(&screen->session, options);
    bool more;

    screen->session.traffic = screen->session.all_flows = screen->session.everywhere = true;
    *settings = (struct tui_settings){
        .interval_ms = options->watch_ms ? (uint32_t)options->watch_ms : 1000,
        .refreshes = options->watch_count,
        .bytes = options->bytes,
        .color = session_color(&screen->session),
    };
    session_narrow(&screen->session, PROTO_INET_ALL);
    if (r != 0 || take_filter(screen, settings) != 0)
        return EXIT_ERROR;
    settings->grouping = list_groupings(screen, options->by);
    if (use_plan(screen, settings->grouping) < 0)
        return EXIT_ERROR;
    screen->groups.table = &screen->plans[settings->grouping].table;
    if (take_sort(screen, settings) != 0)
        return EXIT_ERROR;
    if (prepare(screen,
                &(struct tui_question){
                    .grouping = settings->grouping,
                    .filter = settings->filter,
                    .within = "",
                    .sort = settings->sort,
                },
                &more) < 0)
        return command_error("out of memory");
    return session_account(&screen->session);
}

static void end(struct top_screen *screen)
{
    top_victims_done(screen);
    top_status_done(screen);
    filter_done(screen->filter);
    arena_done(&screen->arena);
    buf_done(&screen->filter_text);
    session_end(&screen->session);
    for (uint32_t i = 0; i < screen->grouping_count; i++)
        group_plan_done(&screen->plans[i]);
    free(screen);
}

static const char legend[] =
    "A filter chooses traffic before it is added up: process nginx, dport 443, sick.\n"
    "Only conditions on what is added up are about the rows that are shown:\n"
    "tx_rate > 1Mbit, bytes > 1G, connections > 3. 'and' joins them with the rest.";

static int run(struct top_screen *screen, struct tui_settings *settings)
{
    const struct accounting *accounting = screen->session.accounting;
    const struct tui_source source = {
        .context = screen,
        .groupings = screen->groupings,
        .windows = top_windows,
        .grouping_count = screen->grouping_count,
        .window_count = TOP_WINDOWS,
        .detail = find_grouping(screen, "conn"),
        .legend = legend,
        .fd = accounting ? accounting_fd(accounting) : -1,
        .refresh = refresh,
        .drain = accounting ? drain : NULL,
        .status = top_status,
        .answer = answer,
        .row = top_row_facts,
        .explain = top_explain,
        .check = check,
        .condition = top_condition,
        .command = top_command,
        .ask = top_ask,
        .act = top_act,
        .zero = top_zero,
    };
    int number = 0, r = tui_run(&source, settings, &number);

    if (number) { /* what the signal does, now that the terminal is as it was */
        signal(number, SIG_DFL);
        raise(number);
    }
    if (r < 0 && r != -EIO && r != -EINVAL) /* those were told */
        command_error("cannot show the screen: %s", strerror(-r));
    return r < 0 ? EXIT_ERROR : EXIT_FOUND;
}

bool top_screen_run(const struct options *options, int *ret_exit)
{
    struct top_screen *screen;
    struct tui_settings settings;
    struct buf reason = BUF_INIT;
    int r = tui_check(&reason);

    if (r < 0)
        command_error("%s: shown in plain blocks, as with --batch", buf_string(&reason));
    buf_done(&reason);
    if (r < 0)
        return false;
    screen = calloc(1, sizeof(*screen));
    if (!screen) {
        *ret_exit = command_error("out of memory");
        return true;
    }
    screen->options = options;
    screen->victims = (struct top_victims){.pidfd = -1, .title = BUF_INIT};
    screen->accounting = screen->reconcile = screen->note = screen->filter_text = BUF_INIT;
    r = begin(screen, options, &settings);
    *ret_exit = r == 0 ? run(screen, &settings) : EXIT_ERROR;
    end(screen);
    return true;
}
