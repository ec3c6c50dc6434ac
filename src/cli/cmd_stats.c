/* SPDX-License-Identifier: MIT */
/* nwho stats: counters of the protocols, and what they count in some seconds. */
#include "cli/session.h"

/*
 * Without -a: what is not zero, of all processors together; with -d only what has counted
 * meanwhile.
 */
static const char *own_filter(const struct options *options)
{
    if (options->all)
        return NULL;
    return options->delta ? "delta != 0 and not cpu >= 0" : "value != 0 and not cpu >= 0";
}

static const char *usual_columns(const struct options *options)
{
    if (options->watch || options->delta)
        return options->all ? "counter,scope,cpu,value,delta,rate,meaning"
                            : "counter,scope,value,delta,rate,meaning";
    return options->all ? "counter,cpu,value,meaning" : NULL;
}

/* What the words fit and the command itself leaves out. */
static void hint_at_hidden(const struct session *session)
{
    struct query query = {.table = &table_counters, .filter = session->words};
    uint32_t count = 0;
    struct grid grid;

    if (query_run(&query, &session->now->view, &grid) < 0)
        return;
    for (uint32_t i = 0; i < grid.row_count; i++)
        count += session->now->snapshot.counters[grid.rows[i]].cpu == 0;
    grid_done(&grid);
    if (count)
        command_error("%u counter%s, and %s: -a shows %s", count, count > 1 ? "s fit" : " fits",
                      session->options->delta ? "nothing was counted meanwhile"
                      : count > 1             ? "all are 0"
                                              : "it is 0",
                      count > 1 ? "them" : "it");
}

static int run_stats(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_counters};
    int r = session_begin(&session, options);

    if (r == 0)
        r = session_filter(&session, &query, own_filter(options));
    if (r == 0)
        r = session_columns(&session, &query, usual_columns(options));
    if (r == 0 && options->delta)
        r = session_take_first(&session, &query);
    if (r == 0)
        r = session_show(&session, &query);
    if (r == EXIT_NOTHING && options->delta && !options->quiet && !options->word_count)
        command_error("nothing was counted meanwhile");
    else if (r == EXIT_NOTHING && options->word_count && !options->all && !options->quiet)
        hint_at_hidden(&session);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho stats",
    "every counter that is not zero, with its meaning",
    "nwho stats retrans",
    "counters with a part of a name",
    "nwho stats 'TcpExt*Drop*' -a",
    "a glob, also those that are zero",
    "nwho stats -d 5",
    "what counted in the next five seconds",
    "nwho stats listen --watch",
    "the same again and again",
    "nwho stats group TcpExt 'value > 1000'",
    "a filter",
    NULL,
};

const struct command command_stats = {
    .name = "stats",
    .arguments = "[PATTERN|FILTER]",
    .summary = "protocol counters and what they mean (netstat -s, nstat)",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_STATS,
    .run = run_stats,
};
