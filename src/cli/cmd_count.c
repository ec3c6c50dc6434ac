/* SPDX-License-Identifier: MIT */
/* nwho count: groups and counts, in place of awk | sort | uniq -c. */
#include "cli/session.h"

/* The first word is the keys, the rest the filter. */
static int plan_groups(struct session *session, struct options *options, struct group_plan *plan)
{
    struct buf error = BUF_INIT;
    int r;

    if (options->word_count == 0)
        return command_error(
            "count what by? for example: nwho count state,process (nwho columns sockets)");
    r = group_plan(&table_sockets, options->words[0], plan, &error);
    if (r == 0)
        r = group_plan_sums(plan, &table_sockets);
    if (r < 0)
        r = command_error("%s", r == -ENOMEM ? "out of memory" : buf_string(&error));
    buf_done(&error);
    options->words++;
    options->word_count--;
    session->plan = plan;
    return r;
}

static int run_count(struct options *options)
{
    struct session session;
    struct group_plan plan = {.key_count = 0};
    struct query rows = {.table = &table_sockets}, groups = {.table = &plan.table};
    int r = session_begin(&session, options);

    if (r == 0)
        r = plan_groups(&session, options, &plan);
    if (r == 0)
        r = session_filter(&session, &rows, NULL);
    if (r == 0)
        r = session_columns(&session, &groups, NULL);
    if (r == 0) {
        group_plan_rows(&plan, &groups, &rows);
        session.groups = &groups;
        r = session_show(&session, &rows);
    }
    session_end(&session);
    group_plan_done(&plan);
    return r;
}

static const char *const examples[] = {
    "nwho count state,process",
    "connections by state and process",
    "nwho count peer established",
    "established connections per remote address",
    "nwho count peer/24 sport :443 --limit 10",
    "the ten networks with most connections to port 443",
    "nwho count process established -d 10 --sort rx_since:desc",
    "what the connections of each process move in ten seconds",
    "nwho count peer -o +bytes_sent,retrans --sort retrans:desc",
    "sums of what counts, here what was sent again, by remote address",
    NULL,
};

const struct command command_count = {
    .name = "count",
    .arguments = "KEYS [FILTER]",
    .summary = "group by columns and count: peer,state (sort | uniq -c)",
    .examples = examples,
    .options = OPTIONS_SOCKETS | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_TRAFFIC,
    .run = run_count,
};
