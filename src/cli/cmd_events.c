/* SPDX-License-Identifier: MIT */
/* nwho events: what happens to connections, a line for each, as it happens. */
#include "cli/session.h"

#include "base/clock.h"
#include "cli/event_summary.h"
#include "cli/follow.h"
#include "cli/history_subject.h"
#include "cli/interrupts.h"
#include "cli/show.h"
#include "out/csv.h"
#include "out/json.h"
#include "out/text.h"
#include "store/store.h"
#include "table/events.h"
#include "table/marks.h"

#include <poll.h>

/* After the first event others are waited for, so that many are written at once. */
#define GATHER_MS 40

/* Events of one batch; and how many batches are more than the kernel keeps. */
#define BATCH 4096
#define BATCHES_KEPT 16

struct follower {
    struct session *session;
    struct query *query;
    struct event_source *source;
    struct event_summary *summary; /* NULL: not asked for */
    struct buf out;
    struct text_layout layout;
    uint32_t shown;  /* rows so far */
    uint64_t end_ns; /* CLOCK_MONOTONIC; 0: none */
    uint64_t lost;   /* that were said */
    bool first;      /* row of the JSON document is still to come */
    sigset_t unblocked;
};

/* --- output --- */

/* Of the words that the column can have. */
static size_t longest_word(const struct follower *follower, const struct column *column)
{
    bool retransmits = follower->session->options->retransmits;
    size_t count, longest = 0;
    const char *const *words = event_words(column, &count);

    for (size_t i = 0; i < count; i++)
        if (words[i] && strlen(words[i]) > longest &&
            (words != event_kinds || i != EVENT_RETRANSMITTED || retransmits))
            longest = strlen(words[i]);
    return longest;
}

/* Wide enough for what is usual, so that columns rarely move when something longer comes. */
static void start_widths(struct follower *follower)
{
    static const size_t usual[KIND_MAX] = {
        [KIND_TEXT] = 8, [KIND_ENDPOINT] = 21, [KIND_BYTES] = 4, [KIND_MICROSECONDS] = 6};
    size_t *widths = follower->layout.widths;

    for (uint32_t i = 0; i < follower->query->column_count; i++) {
        const struct column *column = follower->query->columns[i];

        widths[i] =
            column->kind == KIND_NAME ? longest_word(follower, column) : usual[column->kind];
        if (strncmp(column->name, "nat_", 4) == 0)
            widths[i] = 0; /* mostly there is no NAT */
        else if (strcmp(column->name, "state") == 0)
            widths[i] = 11; /* established */
        else if (strcmp(column->name, "clock") == 0)
            widths[i] = 12;
        else if (column->flags & COLUMN_OWNER)
            widths[i] = 23; /* python3(12345) listener */
        else if (strcmp(column->name, "started_by") == 0)
            widths[i] = 16;
    }
}

static int write_text(struct follower *follower, const struct grid *grid, bool header)
{
    struct text_options options = {
        .no_header = !header,
        .color = session_color(follower->session),
        .exact = follower->session->options->exact,
        .width = show_terminal().ws_col,
        .clip = true,
        .layout = &follower->layout,
    };

    return text_write(grid, &options, &follower->out);
}

/* Before the first row. */
static int write_head(struct follower *follower)
{
    const struct options *options = follower->session->options;
    const struct view *view = &follower->session->now->view;
    struct grid nothing = {.table = follower->query->table,
                           .view = view,
                           .columns = follower->query->columns,
                           .column_count = follower->query->column_count};

    if (options->quiet)
        return 0;
    start_widths(follower);
    follower->first = true;
    switch (options->format) {
    case FORMAT_JSON:
        return json_begin(follower->query->table, view->snapshot, &follower->out);
    case FORMAT_JSONL:
        return 0;
    case FORMAT_CSV:
        return csv_write(&nothing, options->no_header, &follower->out);
    case FORMAT_TEXT:
        break;
    }
    return options->no_header ? 0 : write_text(follower, &nothing, true);
}

static int write_rows(struct follower *follower, const struct grid *grid)
{
    const struct options *options = follower->session->options;

    if (options->quiet || !grid->row_count)
        return 0;
    switch (options->format) {
    case FORMAT_JSON:
        return json_more(grid, &follower->first, &follower->out);
    case FORMAT_JSONL:
        return jsonl_write(grid, NULL, &follower->out);
    case FORMAT_CSV:
        return csv_write(grid, true, &follower->out);
    case FORMAT_TEXT:
        break;
    }
    return write_text(follower, grid, false);
}

static int put_json_end(struct follower *follower)
{
    struct buf more = BUF_INIT;
    int r;

    if (follower->source) {
        buf_puts(&more, ",\n\"lost\":");
        buf_uint(&more, event_source_lost(follower->source));
    }
    if (follower->summary) {
        buf_puts(&more, ",\n\"summary\":");
        r = event_summary_json(follower->summary, &more);
    }
    buf_string(&more);
    r = more.error ? more.error
                   : json_end(&follower->session->now->snapshot, more.data, &follower->out);
    buf_done(&more);
    return r;
}

/* Programs that read rows get the summary beside them. */
static int put_summary(struct follower *follower)
{
    struct buf beside = BUF_SINK(STDERR_FILENO);
    int r;

    if (follower->session->options->format == FORMAT_TEXT)
        return event_summary_text(follower->summary, &follower->out);
    r = event_summary_text(follower->summary, &beside);
    if (r == 0)
        r = buf_flush(&beside);
    buf_done(&beside);
    return r;
}

static int write_end(struct follower *follower)
{
    const struct options *options = follower->session->options;
    int r = 0;

    if (options->quiet)
        return 0;
    if (follower->summary)
        event_summary_end(follower->summary);
    if (options->format == FORMAT_JSON)
        r = put_json_end(follower);
    else if (follower->summary)
        r = put_summary(follower);
    return r < 0 ? r : buf_flush(&follower->out);
}

/* --- following --- */

static bool is_full(const struct follower *follower)
{
    uint32_t limit = follower->session->options->limit;

    return limit && follower->shown >= limit;
}

/* 0 or -errno. */
static int show_batch(struct follower *follower)
{
    uint32_t limit = follower->session->options->limit;
    struct grid grid;
    int r = query_run(follower->query, &follower->session->now->view, &grid);

    if (r < 0)
        return r;
    if (limit && grid.row_count > limit - follower->shown)
        grid_clip(&grid, limit - follower->shown);
    r = write_rows(follower, &grid);
    if (r == 0 && follower->summary)
        r = event_summary_add(follower->summary, &grid);
    follower->shown += grid.row_count;
    grid_done(&grid);
    return r;
}

/* What has happened so far; interrupted, not more than had happened then. */
static int take_all(struct follower *follower)
{
    struct snapshot snapshot;
    unsigned int batches = 0;
    bool more = true;
    int r = 0;

    while (more && r == 0 && !is_full(follower) &&
           !(interrupts_came() && batches++ == BATCHES_KEPT)) {
        r = snapshot_init(&snapshot);
        if (r < 0)
            return r;
        r = event_source_read(follower->source, &snapshot, BATCH, &more);
        if (r < 0) {
            snapshot_done(&snapshot);
            return r;
        }
        if (session_adopt(follower->session, &snapshot) != 0)
            return -ENOMEM;
        r = show_batch(follower);
    }
    return r < 0 ? r : buf_flush(&follower->out);
}

/* Signals are open while it writes, and while it waits; else one could come just before it waits.
 */
static int take_events(struct follower *follower)
{
    int r;

    interrupts_let_in(&follower->unblocked, -1, 0);
    r = take_all(follower);
    interrupts_shut_out();
    return r;
}

static void say_lost(struct follower *follower)
{
    uint64_t lost = event_source_lost(follower->source);

    if (lost == follower->lost || follower->session->options->quiet)
        return;
    follower->lost = lost;
    command_error("incomplete: at least %llu events were lost: they came faster than they could be "
                  "taken",
                  (unsigned long long)lost);
}

/* Milliseconds until it ends or the source wants to be read; -1: never. */
static int next_ms(const struct follower *follower)
{
    int wait = event_source_timeout_ms(follower->source);
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    uint64_t left = follower->end_ns > now ? (follower->end_ns - now) / MILLISECOND_NS + 1 : 0;

    if (!follower->end_ns)
        return wait;
    return wait < 0 || left < (uint64_t)wait ? (int)(left < INT32_MAX ? left : INT32_MAX) : wait;
}

static struct timespec timespec_of(int ms)
{
    return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
}

/* True when the source is to be read. False: it was interrupted, or nobody reads us any more. */
static bool wait_for_events(struct follower *follower)
{
    struct pollfd fds[2] = {{.fd = event_source_fd(follower->source), .events = POLLIN},
                            {.fd = STDOUT_FILENO}};
    int ms = next_ms(follower);
    struct timespec until = timespec_of(ms < 0 ? 0 : ms), gather = timespec_of(GATHER_MS);
    int ready = interrupts_wait(fds, ARRAY_SIZE(fds), ms < 0 ? NULL : &until, &follower->unblocked);

    if (ready > 0 && fds[1].revents & (POLLERR | POLLNVAL))
        return false;
    if (ready > 0 && ms != 0)
        interrupts_wait(NULL, 0, &gather, &follower->unblocked);
    return !interrupts_came();
}

static bool is_over(const struct follower *follower)
{
    return interrupts_came() || is_full(follower) ||
           (follower->end_ns && clock_ns(CLOCK_MONOTONIC) >= follower->end_ns);
}

static int follow(struct follower *follower)
{
    int r = 0;

    do {
        r = take_events(follower);
        say_lost(follower);
    } while (r == 0 && !is_over(follower) && wait_for_events(follower));
    if (r == 0 && interrupts_came())
        r = take_events(follower);
    return r;
}

/* --- the command --- */

/* What the source says of itself, as the session's now: for the notes, the head and the exit code.
 */
static int take_description(struct follower *follower)
{
    struct snapshot snapshot;

    if (snapshot_init(&snapshot) < 0)
        return command_error("out of memory");
    if (event_source_describe(follower->source, &snapshot) < 0) {
        snapshot_done(&snapshot);
        return command_error("out of memory");
    }
    return session_adopt(follower->session, &snapshot);
}

static int finish(struct follower *follower, int r)
{
    if (r == 0 || r == -EPIPE) {
        if (take_description(follower) != 0)
            return EXIT_ERROR;
        if (r == 0)
            r = write_end(follower);
    }
    say_lost(follower);
    if (r < 0 && r != -EPIPE)
        return command_error("cannot %s: %s",
                             follower->out.error ? "write the output" : "follow the events",
                             strerror(-r));
    if (!follower->shown)
        session_hint(follower->session);
    return session_exit(follower->session, follower->shown);
}

/* Who asks for what is not told would wait for ever. */
static void hint_retransmits(const struct session *session)
{
    const struct options *options = session->options;

    if (!options->quiet && !options->retransmits && !options->events && session->words &&
        filter_wants(session->words, "event", event_kinds[EVENT_RETRANSMITTED]))
        command_error("retransmissions are only told with --retrans");
}

static int run_follower(struct follower *follower)
{
    const struct options *options = follower->session->options;
    int r;

    if (take_description(follower) != 0)
        return EXIT_ERROR;
    session_notes(follower->session);
    hint_retransmits(follower->session);
    if (options->summary) {
        follower->summary = event_summary_new();
        if (!follower->summary)
            return command_error("out of memory");
    }
    if (options->for_ms)
        follower->end_ns = clock_ns(CLOCK_MONOTONIC) + options->for_ms * MILLISECOND_NS;
    follower->out = BUF_SINK(STDOUT_FILENO);
    r = write_head(follower);
    if (r == 0)
        r = buf_flush(&follower->out);
    if (r == 0)
        r = follow(follower);
    r = finish(follower, r);
    buf_done(&follower->out);
    event_summary_free(follower->summary);
    return r;
}

int events_follow(struct session *session, struct query *query, enum event_subject subject)
{
    struct follower follower = {.session = session, .query = query};
    int r;

    if (session->options->sort)
        return command_error("events come in the order of time: --sort is for --replay");
    if (session->options->record)
        return command_error("--record takes one moment; --jsonl > FILE keeps events");
    if (session_plan(session, query) != 0)
        return EXIT_ERROR;
    query->limit = 0; /* of all batches together */
    interrupts_catch(&follower.unblocked);
    signal(SIGPIPE, SIG_IGN);
    r = event_source_open(&session->request, subject, &follower.source);
    if (r == -EPERM && subject == EVENTS_OF_CONNTRACK)
        return command_error("cannot follow the events: only CAP_NET_ADMIN may hear of them; try "
                             "it with sudo");
    if (r < 0)
        return command_error("cannot follow the events: %s", strerror(-r));
    r = run_follower(&follower);
    event_source_close(follower.source);
    return r;
}

/* --- of the past --- */

/* Rows as they are followed, and the summary below. */
static int show_summary(struct session *session, struct query *query)
{
    struct follower follower = {.session = session, .query = query};
    int r;

    if (session_plan(session, query) != 0 || session_take(session) != 0)
        return EXIT_ERROR;
    session_notes(session);
    follower.summary = event_summary_new();
    if (!follower.summary)
        return command_error("out of memory");
    follower.out = BUF_SINK(STDOUT_FILENO);
    r = write_head(&follower);
    if (r == 0)
        r = show_batch(&follower);
    if (r == 0)
        r = write_end(&follower);
    buf_done(&follower.out);
    event_summary_free(follower.summary);
    if (r < 0 && r != -EPIPE)
        return command_error("cannot write the output: %s", strerror(-r));
    return session_exit(session, follower.shown);
}

static int show_recorded(struct session *session, struct query *query)
{
    int r = history_plan_events(session, query);

    if (r != 0)
        return r;
    return session->options->summary ? show_summary(session, query) : session_show(session, query);
}

static int run_events(struct options *options)
{
    struct query query = {.table = &table_events};
    struct session session;
    int r;

    if (options->follow && (options->since || options->until))
        return command_error("--follow is about what happens from now on: leave out --since and "
                             "--until");
    if (options->replay)
        return session_answer(options, &query, NULL, NULL);
    r = session_begin(&session, options);
    if (options->since || options->until)
        session.recorded = STORE_CONNECTIONS;
    if (r == 0)
        r = session_filter(&session, &query, NULL);
    if (r == 0 && !session.recorded)
        r = session_columns(&session, &query, NULL);
    if (r == 0)
        r = session.recorded ? show_recorded(&session, &query)
                             : events_follow(&session, &query,
                                             options->retransmits ? EVENTS_OF_RETRANSMISSIONS
                                                                  : EVENTS_OF_SOCKETS);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho events",
    "each connection that is opened, accepted or closed, with its process, until Ctrl-C",
    "nwho events process curl and verdict refused",
    "connections of curl that were refused",
    "nwho events event closed and 'duration > 1s' --summary",
    "those that lasted for more than a second; in the end medians by process",
    "nwho events reset --retrans -n 10",
    "the next ten resets",
    "nwho events dport 443 --for 60 --jsonl",
    "a minute of connections to port 443, for a program",
    "nwho events refused --since yesterday --until today",
    "of what nwho serve recorded",
    NULL,
};

const struct command command_events = {
    .name = "events",
    .arguments = "[FILTER]",
    .summary = "connections opened, accepted, closed, refused, reset, as it happens",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_EVENTS | OPTIONS_PAST | OPTIONS_STORE,
    .run = run_events,
};
