/* SPDX-License-Identifier: MIT */
/* nwho history: who used the network then. */
#include "cli/history.h"
#include "cli/history_chart.h"
#include "cli/session.h"
#include "cli/show.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "out/csv.h"
#include "out/json.h"
#include "table/flow_groups.h"
#include "table/trends.h"

#include <langinfo.h>
#include <string.h>

#define PIECES_MAX 100000
#define CHART_PIECES 200 /* of a chart, unless it is said */

struct history {
    struct session *session;
    struct query *rows;
    struct store *store;
    struct store_question question;
    struct store_answer answer;   /* the last one; its snapshot is the session's */
    uint64_t measured_ns;         /* of all answers */
    struct trends trends;         /* in text with --every, and for --svg */
    struct store_question pieces; /* that they are of */
    uint32_t piece;
    struct buf out, notes;
    uint32_t shown; /* rows */
    bool first;     /* row of the JSON document is still to come */
};

/* --- what is asked --- */

static bool is_by_interface(const struct options *options)
{
    return options->by && strcmp(options->by, "iface") == 0;
}

/* Sockets and threads are not told apart in what is recorded. */
static bool is_too_fine(const char *by)
{
    return strstr(by, "conn") || strstr(by, "thread") || strstr(by, "tid");
}

static int plan_groups(struct session *session, struct group_plan *plan)
{
    const char *by = session->options->by ? session->options->by : "process";
    struct buf error = BUF_INIT;
    int r;

    if (is_too_fine(by))
        return command_error("threads and connections are not recorded one by one: --by process, "
                             "peer, port, user, unit, container, iface or netns");
    r = flow_group_plan(by, plan, &error);
    if (r < 0)
        r = command_error("%s", r == -ENOMEM ? "out of memory" : buf_string(&error));
    buf_done(&error);
    session->plan = plan;
    return r;
}

static int plan_flows(struct session *session, struct query *rows, struct query *groups,
                      struct group_plan *by)
{
    int r = plan_groups(session, by);

    if (r != 0)
        return r;
    flow_group_past(by);
    rows->table = &table_flows;
    groups->table = &by->table;
    session->groups = groups;
    r = session_filter(session, rows, NULL);
    if (r == 0)
        r = session_split_filter(session, groups);
    if (r == 0)
        r = session_columns(session, groups, NULL);
    if (r != 0)
        return r;
    flow_group_sort(groups);
    if (groups->sort_count < ARRAY_SIZE(groups->sort)) /* so that it is known, for trends */
        groups->sort[groups->sort_count++] =
            (struct sort_key){.column = table_column(groups->table, "bytes"), .descending = true};
    flow_group_keys(by, rows);
    r = session_plan(session, rows);
    return r == 0 ? session_plan_also(session, groups) : r;
}

static int plan_interfaces(struct session *session, struct query *rows)
{
    static const char usual[] =
        "iface,netns,rx_rate,tx_rate,rx_bytes,tx_bytes,rx_packets,tx_packets,rx_errors,tx_errors,"
        "rx_dropped,tx_dropped";
    int r;

    rows->table = &table_interfaces;
    r = session_filter(session, rows, NULL);
    if (r == 0)
        r = session_columns(session, rows, usual);
    if (r == 0)
        r = session_plan(session, rows);
    session->request.needs |= NEED_LINKS;
    return r;
}

static int plan(struct session *session, struct query *rows, struct query *groups,
                struct group_plan *by)
{
    return is_by_interface(session->options) ? plan_interfaces(session, rows)
                                             : plan_flows(session, rows, groups, by);
}

/* Which of what is stored the rows are made of. */
static unsigned int parts_for(const struct session *session)
{
    unsigned int parts = STORE_NOTES;

    if (is_by_interface(session->options))
        return parts | STORE_INTERFACES;
    return parts | (session->request.needs & NEED_ENDS ? STORE_PEERS : STORE_PROCESSES);
}

/* --- what is shown --- */

static void put_moment(struct buf *out, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / SECOND_NS);
    char text[32] = "";
    struct tm broken;

    if (localtime_r(&seconds, &broken))
        strftime(text, sizeof(text), "%F %T", &broken);
    buf_puts(out, text);
}

/* "2026-11-20 16:00:00 to 2026-11-21 16:00:00, measured 23h58m, exact: BPF" */
static void put_title(struct history *history)
{
    const struct store_answer *answer = &history->answer;
    struct buf *out = &history->out;

    put_moment(out, answer->since_ns);
    buf_puts(out, " to ");
    put_moment(out, answer->until_ns);
    if (history->measured_ns) {
        buf_puts(out, ", measured ");
        units_write_duration(out, history->measured_ns / 1000);
    } else {
        buf_puts(out, ", nothing was measured");
    }
    if (history->session->groups && history->measured_ns)
        buf_printf(out, ", %s", accounting_level_label(history->session->now->snapshot.accounting));
    buf_byte(out, '\n');
}

static void put_text_note(struct buf *out, const struct store_note *note, const char *text,
                          size_t length)
{
    put_moment(out, note->time_ns);
    buf_printf(out, length ? "  %-7s  " : "  %s", store_note_kind_name(note->kind));
    escape_text(out, text, length);
    buf_byte(out, '\n');
}

static void put_json_note(struct buf *out, const struct store_note *note, const char *text,
                          size_t length)
{
    buf_puts(out, out->length ? ",\n{\"time\":\"" : "\n{\"time\":\"");
    buf_utc(out, note->time_ns, 3);
    buf_printf(out, "\",\"kind\":\"%s\",\"text\":", store_note_kind_name(note->kind));
    escape_json(out, text, length);
    buf_byte(out, '}');
}

/* What was said about the time: marks, gaps, restarts. It is shown below the rows. */
static void add_notes(struct history *history, const struct store_answer *answer)
{
    bool json = history->session->options->format == FORMAT_JSON;

    for (uint32_t i = 0; i < answer->note_count; i++) {
        const struct store_note *note = &answer->notes[i];
        size_t length;
        const char *text = snapshot_string(&answer->snapshot, note->text, &length);

        (json ? put_json_note : put_text_note)(&history->notes, note, text, length);
    }
}

static int write_rows(struct history *history, const struct grid *grid)
{
    const struct options *options = history->session->options;
    struct buf *out = &history->out;

    if (options->quiet)
        return 0;
    switch (options->format) {
    case FORMAT_JSON:
        return json_more(grid, &history->first, out);
    case FORMAT_JSONL:
        return jsonl_write(grid, out);
    case FORMAT_CSV:
        return csv_write(grid, options->no_header || history->shown, out);
    case FORMAT_TEXT:
        break;
    }
    put_title(history);
    return session_write(history->session, grid, out);
}

/* --- answers --- */

/* Interfaces count from zero on, at the beginning of what was measured. */
static int adopt_beginning(struct session *session, const struct store_answer *answer)
{
    const struct snapshot *now = &answer->snapshot;
    struct snapshot before;
    int r = snapshot_init(&before);

    before.time_ns = now->time_ns - answer->interface_measured_ns;
    before.boot_ns = now->boot_ns - answer->interface_measured_ns;
    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++) {
        const struct interface *interface = &now->interfaces[i];
        uint32_t netns = 0;
        size_t length;

        r = snapshot_add_netns(&before, now->netns[interface->netns].inode, &netns);
        if (r == 0)
            r = snapshot_add_interface(&before, netns, interface->ifindex,
                                       snapshot_string(now, interface->name, &length));
        if (r == 0)
            before.interfaces[before.interfaces_count - 1].has = interface->has;
    }
    if (r < 0) {
        snapshot_done(&before);
        return command_error("out of memory");
    }
    return session_adopt_reading(session, &before);
}

/* The answer becomes what the session has now, and its rows. 0 or EXIT_ERROR. */
static int adopt(struct history *history, struct store_answer *answer, struct grid *ret_grid)
{
    struct session *session = history->session;
    bool interfaces = session->groups == NULL;
    struct snapshot snapshot;

    if (interfaces && adopt_beginning(session, answer) != 0)
        return EXIT_ERROR;
    history->measured_ns += interfaces ? answer->interface_measured_ns : answer->measured_ns;
    store_answer_done(&history->answer);
    store_answer_take(answer, &history->answer);
    snapshot = history->answer.snapshot;
    history->answer.snapshot = (struct snapshot){0};
    if (session_adopt_reading(session, &snapshot) != 0)
        return EXIT_ERROR;
    session->now->view.trends = history->trends.pieces ? &history->trends : NULL;
    return session_select_now(session, history->rows, ret_grid);
}

/* 0, EXIT_ERROR, or -errno. */
static int show_answer(struct store_answer *answer, void *context)
{
    struct history *history = context;
    const struct options *options = history->session->options;
    struct grid grid;
    int r;

    add_notes(history, answer);
    if (adopt(history, answer, &grid) != 0)
        return EXIT_ERROR;
    r = write_rows(history, &grid);
    if (r == 0 && options->svg)
        r = history_chart_write(&grid, &history->pieces, options->svg);
    history->shown += grid.row_count;
    grid_done(&grid);
    return r;
}

/* --- trends --- */

static uint64_t bytes_of(const struct view *view, uint32_t row)
{
    const struct link_stats *stats;

    if (view->group->plan)
        return group_number(view->group, row, "bytes").number;
    stats = &view->snapshot->interfaces[row].stats;
    return stats->rx_bytes + stats->tx_bytes;
}

static int add_piece(struct store_answer *answer, void *context)
{
    struct history *history = context;
    struct trends *trends = &history->trends;
    struct grid grid;
    int r = 0;

    if (adopt(history, answer, &grid) != 0)
        return EXIT_ERROR;
    for (uint32_t i = 0; i < grid.row_count && r == 0; i++)
        r = trends_add(trends, trends->identity(grid.view, grid.rows[i]), history->piece,
                       bytes_of(grid.view, grid.rows[i]));
    history->piece++;
    grid_done(&grid);
    return r;
}

/* The rows are of all of the time, with what they were in its pieces. */
static int make_trends(struct history *history)
{
    struct store_question *pieces = &history->pieces;
    struct query *shown = history->session->groups ? history->session->groups : history->rows;
    uint32_t limit = shown->limit;
    uint64_t span_ns;
    int r;

    *pieces = history->question;
    span_ns = pieces->until_ns - pieces->since_ns;
    if (!pieces->every_ns)
        pieces->every_ns = (span_ns / CHART_PIECES + SECOND_NS) / SECOND_NS * SECOND_NS;
    shown->limit = 0;
    history->trends.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    history->trends.identity = shown->table->identity;
    history->trends.pieces = (uint32_t)((span_ns + pieces->every_ns - 1) / pieces->every_ns);
    r = store_read(history->store, pieces, add_piece, history);
    shown->limit = limit;
    if (history->question.every_ns && shown->column_count < QUERY_COLUMNS_MAX)
        shown->columns[shown->column_count++] = &column_trend;
    history->question.every_ns = 0;
    history->measured_ns = 0;
    return r;
}

/* --- the whole --- */

static int write_end(struct history *history)
{
    const struct options *options = history->session->options;
    struct buf more = BUF_INIT;
    int r;

    if (options->quiet)
        return 0;
    if (options->format == FORMAT_TEXT && history->notes.length) {
        buf_byte(&history->out, '\n');
        buf_put(&history->out, history->notes.data, history->notes.length);
    }
    if (options->format != FORMAT_JSON)
        return history->out.error;
    buf_printf(&more, ",\n\"measured_s\":%.3f,\n\"notes\":[",
               (double)history->measured_ns / (double)SECOND_NS);
    buf_put(&more, history->notes.data, history->notes.length);
    buf_puts(&more, "]");
    r = more.error ? more.error
                   : json_end(&history->session->now->snapshot, buf_string(&more), &history->out);
    buf_done(&more);
    return r;
}

static int read_and_show(struct history *history)
{
    const struct session *session = history->session;
    struct snapshot nothing = {0};
    int r = 0;

    history->first = true;
    if (session->options->svg ||
        (session->options->format == FORMAT_TEXT && history->question.every_ns))
        r = make_trends(history);
    if (r == 0 && session->options->format == FORMAT_JSON && !session->options->quiet)
        r = json_begin(session->groups ? session->groups->table : history->rows->table, &nothing,
                       &history->out);
    if (r == 0)
        r = store_read(history->store, &history->question, show_answer, history);
    return r == 0 ? write_end(history) : r;
}

static int answer(struct history *history)
{
    struct session *session = history->session;
    int r;

    history->out = history->notes = BUF_INIT;
    r = read_and_show(history);
    if (r < 0)
        r = command_error("cannot read the history: %s", strerror(-r));
    if (r == 0)
        r = session_output(session, &history->out);
    buf_done(&history->out);
    buf_done(&history->notes);
    trends_done(&history->trends);
    if (r != 0)
        return EXIT_ERROR;
    session_notes(session);
    return session_exit(session, history->shown);
}

static int run_history(struct options *options)
{
    struct session session;
    struct group_plan by = {.key_count = 0};
    struct query rows = {0}, groups = {0};
    struct history history = {.session = &session, .rows = &rows};
    int r;

    if (history_times(options, &history.question) != 0)
        return EXIT_ERROR;
    if (history.question.every_ns &&
        (history.question.until_ns - history.question.since_ns) / history.question.every_ns >=
            PIECES_MAX)
        return command_error("--every %llus makes more than %d pieces of this time",
                             (unsigned long long)(history.question.every_ns / SECOND_NS),
                             PIECES_MAX);
    if (options->svg && options->every_ms && options->format != FORMAT_TEXT)
        return command_error("--svg goes with text, or without --every");
    r = session_begin(&session, options);
    session.all_flows = true;
    if (r == 0)
        r = plan(&session, &rows, &groups, &by);
    if (r == 0)
        r = history_open(options, &history.store);
    if (r == 0) {
        history.question.parts = parts_for(&session);
        r = answer(&history);
    }
    store_close(history.store);
    store_answer_done(&history.answer);
    session_end(&session);
    group_plan_done(&by);
    return r;
}

static const char *const examples[] = {
    "nwho history --since -1h",
    "which processes used the network in the last hour",
    "nwho history dst 203.0.113.9 --since 02:00 --until 04:00",
    "who talked to it at night",
    "nwho history --by peer --since yesterday --until today --limit 10",
    "with whom this machine exchanged most",
    "nwho history --by iface --every 1h --csv",
    "what the interfaces did, hour by hour",
    NULL,
};

const struct command command_history = {
    .name = "history",
    .arguments = "[FILTER]",
    .summary = "who used the network then (needs nwho serve)",
    .examples = examples,
    .options = OPTIONS_HISTORY | OPTIONS_PAST | OPTIONS_OUTPUT | OPTIONS_STORE,
    .run = run_history,
};
