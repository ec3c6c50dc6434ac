/* SPDX-License-Identifier: MIT */
/* nwho history: who used the network then. */
#include "cli/history.h"
#include "cli/history_chart.h"
#include "cli/history_notes.h"
#include "cli/history_subject.h"
#include "cli/show.h"

#include "base/clock.h"
#include "base/units.h"
#include "out/csv.h"
#include "out/json.h"
#include "table/trends.h"

#include <langinfo.h>
#include <string.h>

#define CHART_PIECES 200 /* of a chart, unless it is said */

struct history {
    const struct history_subject *subject;
    struct session *session;
    struct query *rows;
    struct store *store;
    struct store_question question;
    struct store_answer answer;   /* the last one; its snapshot is the session's */
    uint64_t measured_ns;         /* of all answers */
    uint64_t coarsest_ns;         /* the same: the longest time that one reading was about */
    uint64_t every_ns;            /* as asked for */
    struct trends trends;         /* in text with --every, and for --svg */
    struct store_question pieces; /* that they are of */
    uint32_t piece;
    struct buf out;
    struct history_notes notes;
    uint32_t shown; /* rows */
    bool begun;     /* the JSON document has its head, or CSV its header */
    bool first;     /* its first row is still to come */
};

/* --- what is shown --- */

/* "2026-11-20 16:00:00 to 2026-11-21 16:00:00, measured 23h58m, exact: BPF" */
static void put_title(struct history *history)
{
    const struct store_answer *answer = &history->answer;
    struct buf *out = &history->out;

    show_moment(out, answer->since_ns);
    buf_puts(out, " to ");
    show_moment(out, answer->until_ns);
    if (history->measured_ns) {
        buf_puts(out, ", measured ");
        units_write_duration(out, history->measured_ns / 1000);
    } else {
        buf_puts(out, ", nothing was measured");
    }
    if (history->subject->is_traffic && history->measured_ns)
        buf_printf(out, ", %s", accounting_level_label(history->session->now->snapshot.accounting));
    buf_byte(out, '\n');
}

/* What was said about the time: marks, gaps, restarts. It is shown below the rows. */
static void add_notes(struct history *history, const struct store_answer *answer)
{
    for (uint32_t i = 0; i < answer->note_count; i++)
        history_notes_add(&history->notes, &answer->snapshot, &answer->notes[i]);
}

static int write_rows(struct history *history, const struct grid *grid)
{
    const struct options *options = history->session->options;
    struct buf *out = &history->out;
    int r = 0;

    if (options->quiet)
        return 0;
    switch (options->format) {
    case FORMAT_JSON:
        if (!history->begun)
            r = json_begin(grid->table, grid->view->snapshot, out);
        history->begun = true;
        return r < 0 ? r : json_more(grid, &history->first, out);
    case FORMAT_JSONL:
        return jsonl_write(grid, NULL, out);
    case FORMAT_CSV:
        r = csv_write(grid, options->no_header || history->begun, out);
        history->begun = true;
        return r;
    case FORMAT_TEXT:
        break;
    }
    put_title(history);
    return session_write(history->session, grid, out);
}

/* --- answers --- */

/* The answer becomes what the session has now, and its rows. 0 or EXIT_ERROR. */
static int adopt(struct history *history, struct store_answer *answer, struct grid *ret_grid)
{
    const struct history_subject *subject = history->subject;
    struct session *session = history->session;
    struct snapshot snapshot;

    if (subject->adopt_beginning && subject->adopt_beginning(session, answer) != 0)
        return EXIT_ERROR;
    if (answer->coarsest_ns > history->coarsest_ns)
        history->coarsest_ns = answer->coarsest_ns;
    history->measured_ns +=
        subject->is_traffic ? answer->measured_ns : answer->interface_measured_ns;
    store_answer_done(&history->answer);
    store_answer_take(answer, &history->answer);
    snapshot = history->answer.snapshot;
    history->answer.snapshot = (struct snapshot){0};
    if (session_adopt_reading(session, &snapshot) != 0)
        return EXIT_ERROR;
    session->now->view.trends = history->trends.pieces ? &history->trends : NULL;
    session->now->view.states = history->answer.states;
    session->now->view.state_count = history->answer.state_count;
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
        r = history_chart_write(&grid, &history->answer, &history->pieces, options->svg);
    history->shown += grid.row_count;
    grid_done(&grid);
    return r;
}

/* --- trends --- */

/* Where every tick is not kept any more pieces are longer than they were asked for. */
static void begin_pieces(struct history *history, const struct store_answer *first)
{
    struct store_question *pieces = &history->pieces;
    uint64_t length_ns = first->until_ns - first->since_ns;

    pieces->since_ns = first->since_ns;
    if (length_ns > pieces->every_ns)
        pieces->every_ns = length_ns;
    history->trends.pieces =
        (uint32_t)((pieces->until_ns - pieces->since_ns + pieces->every_ns - 1) / pieces->every_ns);
}

/* Of counts of sockets a piece has the largest, however long it is. */
static uint64_t weight_of(const struct history *history)
{
    const struct store_answer *answer = &history->answer;
    uint64_t measured_ns =
        history->subject->is_traffic ? answer->measured_ns : answer->interface_measured_ns;

    return measured_ns && history->subject->is_level ? SECOND_NS : measured_ns;
}

static int add_piece(struct store_answer *answer, void *context)
{
    struct history *history = context;
    struct trends *trends = &history->trends;
    struct grid grid;
    int r = 0;

    if (history->piece == 0)
        begin_pieces(history, answer);
    if (history->piece >= trends->pieces)
        return 0;
    if (adopt(history, answer, &grid) != 0)
        return EXIT_ERROR;
    r = trends_measured(trends, history->piece, weight_of(history));
    for (uint32_t i = 0; i < grid.row_count && r == 0; i++)
        r = trends_add(trends, trends->identity(grid.view, grid.rows[i]), history->piece,
                       history->subject->amount(grid.view, grid.rows[i]));
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
    r = store_read(history->store, pieces, add_piece, history);
    shown->limit = limit;
    if (history->question.every_ns && shown->column_count < QUERY_COLUMNS_MAX)
        shown->columns[shown->column_count++] = &column_trend;
    history->question.every_ns = 0;
    history->measured_ns = 0;
    return r;
}

/* --- the whole --- */

/* The time that was asked about, its pieces, and how finely it is kept. */
static void put_asked(const struct history *history, struct buf *out)
{
    const struct store_question *question = &history->question;

    buf_puts(out, ",\n\"since\":\"");
    buf_utc(out, question->since_ns, 3);
    buf_puts(out, "\",\"until\":\"");
    buf_utc(out, question->until_ns, 3);
    buf_puts(out, "\",\"every_s\":");
    if (question->every_ns)
        buf_printf(out, "%.3f", (double)question->every_ns / (double)SECOND_NS);
    else
        buf_puts(out, "null");
    buf_printf(out, ",\"tier\":\"%s\",\"coarsest_s\":", history_tier_name(history->answer.tier));
    if (history->coarsest_ns)
        buf_printf(out, "%.3f", (double)history->coarsest_ns / (double)SECOND_NS);
    else
        buf_puts(out, "null");
}

/* A reading that is a little late is no reason. */
static void note_coarse(const struct history *history)
{
    if (history->every_ns && history->coarsest_ns > history->every_ns + history->every_ns / 2)
        snapshot_note(&history->session->now->snapshot, NOTE_DETAIL, "history", 0,
                      "readings of this time are up to %.1f s apart, and each is of the piece in "
                      "which it ended: seconds are kept around marks and findings",
                      (double)history->coarsest_ns / (double)SECOND_NS);
}

static int write_end(struct history *history)
{
    const struct options *options = history->session->options;
    const struct buf *notes = &history->notes.out;
    struct buf more = BUF_INIT;
    int r = history_notes_end(&history->notes);

    note_coarse(history);
    if (r < 0 || options->quiet)
        return r;
    if (options->format == FORMAT_TEXT && notes->length) {
        buf_byte(&history->out, '\n');
        buf_put(&history->out, notes->data, notes->length);
    }
    if (options->format != FORMAT_JSON)
        return history->out.error;
    put_asked(history, &more);
    buf_printf(&more, ",\n\"measured_s\":%.3f,\n\"notes\":[",
               (double)history->measured_ns / (double)SECOND_NS);
    buf_put(&more, notes->data, notes->length);
    buf_puts(&more, "]");
    r = more.error ? more.error
                   : json_end(&history->session->now->snapshot, buf_string(&more), &history->out);
    buf_done(&more);
    return r;
}

static int read_and_show(struct history *history)
{
    const struct session *session = history->session;
    int r = 0;

    history->first = true;
    history->every_ns = history->question.every_ns;
    if (session->options->svg ||
        (session->options->format == FORMAT_TEXT && history->question.every_ns))
        r = make_trends(history);
    if (r == 0)
        r = store_read(history->store, &history->question, show_answer, history);
    return r == 0 ? write_end(history) : r;
}

static int answer(struct history *history)
{
    struct session *session = history->session;
    int r;

    history->out = BUF_INIT;
    history->notes = HISTORY_NOTES_INIT(session->options->format == FORMAT_JSON);
    r = read_and_show(history);
    if (r < 0)
        r = command_error("cannot read the history: %s", store_failure(r));
    if (r == 0)
        r = session_output(session, &history->out);
    buf_done(&history->out);
    history_notes_done(&history->notes);
    trends_done(&history->trends);
    if (r != 0)
        return EXIT_ERROR;
    session_notes(session);
    if (!history->shown)
        history_hint(session);
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
    history.subject = history_subject_find(options->by);
    if (options->svg && options->every_ms && options->format != FORMAT_TEXT)
        return command_error("--svg goes with text, or without --every");
    if (options->svg && strcmp(options->by ? options->by : "", "state") == 0)
        return command_error("--svg draws bytes: it does not go with --by state");
    r = session_begin(&session, options);
    session.all_flows = true;
    if (r == 0)
        r = history.subject->plan(&session, &rows, &groups, &by);
    if (r == 0)
        r = history_open(options, &history.store);
    if (r == 0) {
        history.question.parts = history.subject->parts(&session) | STORE_NOTES;
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
