/* SPDX-License-Identifier: MIT */
/* nwho events: what happens to connections, a line for each, as it happens. */
#include "cli/session.h"

#include "cli/event_output.h"
#include "cli/follow.h"
#include "cli/history_subject.h"
#include "cli/show.h"
#include "store/store.h"
#include "table/events.h"

/* Of the past: rows as they are followed, and the summary below. */
static int show_summary(struct session *session, struct query *query)
{
    struct event_output output;
    int r;

    if (session_plan(session, query) != 0 || session_take(session) != 0)
        return EXIT_ERROR;
    session_notes(session);
    r = event_output_open(&output, session, query);
    if (r != 0)
        return r;
    r = event_output_begin(&output);
    if (r == 0)
        r = event_output_add(&output);
    if (r == 0)
        r = event_output_end(&output, NULL);
    event_output_done(&output);
    if (r < 0 && r != -EPIPE)
        return command_error("cannot write the output: %s", strerror(-r));
    return session_exit(session, output.shown);
}

static int show_recorded(struct session *session, struct query *query)
{
    int r = history_plan_events(session, query);

    if (r != 0)
        return r;
    return session->options->summary ? show_summary(session, query) : session_show(session, query);
}

static int replay_events(const struct options *options, struct query *query)
{
    int r = session_answer(options, query, NULL, NULL);

    if (r == EXIT_NOTHING && !options->quiet && !options->word_count)
        command_error("a recording is one moment, and has no events: nwho events --since TIME "
                      "shows those that nwho serve recorded");
    return r;
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
        return replay_events(options, &query);
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
    .summary = "connections as they open, close, are refused or reset",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_EVENTS | OPTIONS_PAST | OPTIONS_STORE,
    .run = run_events,
};
