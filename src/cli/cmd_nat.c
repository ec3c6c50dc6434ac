/* SPDX-License-Identifier: MIT */
/* nwho nat: tracked connections, with the processes that have them. */
#include "cli/follow.h"

#include "table/nat_groups.h"

static int plan_groups(struct session *session, struct group_plan *plan)
{
    struct buf error = BUF_INIT;
    int r = nat_group_plan(session->options->by, plan, &error);

    if (r < 0)
        r = command_error("%s", r == -ENOMEM ? "out of memory" : buf_string(&error));
    buf_done(&error);
    session->plan = plan;
    return r;
}

static int show_groups(const struct options *options)
{
    struct session session;
    struct group_plan plan = {.key_count = 0};
    struct query rows = {.table = &table_nat}, groups = {.table = &plan.table};
    int r = session_begin(&session, options);

    if (r == 0)
        r = plan_groups(&session, &plan);
    if (r == 0)
        r = session_filter(&session, &rows, options_family(options));
    if (r == 0)
        r = session_columns(&session, &groups, NULL);
    if (r == 0) {
        group_plan_rows(&plan, &groups, &rows);
        session.groups = &groups;
        r = session_plan_also(&session, &groups);
    }
    if (r == 0)
        r = session_show(&session, &rows);
    session_end(&session);
    group_plan_done(&plan);
    return r;
}

static int follow(const struct options *options)
{
    struct query query = {.table = &table_nat_events};
    struct session session;
    int r;

    if (options->watch || options->by)
        return command_error("--events tells what happens as it happens: it goes without --watch "
                             "and --by");
    if (options->replay) /* which has one moment */
        return session_answer(options, &query, NULL, NULL);
    r = session_begin(&session, options);
    if (r == 0)
        r = session_filter(&session, &query, options_family(options));
    if (r == 0)
        r = session_columns(&session, &query, NULL);
    if (r == 0)
        r = events_follow(&session, &query, EVENTS_OF_CONNTRACK);
    session_end(&session);
    return r;
}

/* A router's table is about sockets in other namespaces: all are read, unless some are named. */
static int run_nat(struct options *options)
{
    struct query query = {.table = &table_nat};
    struct options all = *options;
    int r;

    all.all_netns |= !options->namespace_count && !options->container && !options->replay;
    all.families = 0; /* a socket for IPv6 may have connections of IPv4 */
    if (options->events)
        return follow(&all);
    if (options->for_ms)
        return command_error("--for is for --events");
    if (options->by)
        return show_groups(&all);
    r = session_answer(&all, &query, options_family(options), NULL);
    if (r == EXIT_NOTHING && !options->quiet && !options->replay && !options->word_count)
        command_error("no connection is tracked: the kernel does so where a rule of a firewall or "
                      "NAT asks for it");
    return r;
}

static const char *const examples[] = {
    "nwho nat",
    "every tracked connection, with the processes at its ends",
    "nwho nat process nginx",
    "whom nginx really talks to",
    "nwho nat 'role = none' --by peer",
    "what is forwarded, or left over, by the address that was asked for",
    "nwho nat --by process,state",
    "who fills the table, against its limit",
    "nwho nat will_forget",
    "connections that will be forgotten while they idle",
    "nwho nat --events process curl",
    "what curl talks to, as the kernel tracks and forgets it",
    "nwho ls established -o +nat_peer_addr,nat_peer_port",
    "sockets with their peers behind NAT",
    NULL,
};

const struct command command_nat = {
    .name = "nat",
    .arguments = "[FILTER]",
    .summary = "tracked connections, NAT, who is behind it (conntrack -L)",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_NAT,
    .run = run_nat,
};
