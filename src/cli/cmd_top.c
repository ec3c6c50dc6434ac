/* SPDX-License-Identifier: MIT */
/* nwho top: who uses the network now, and how much since the last look; or then, piece by piece. */
#include "cli/session.h"
#include "cli/top_screen.h"

#include "cli/replay.h"
#include "table/flow_groups.h"

#include <string.h>

static int plan(struct session *session, struct query *rows, struct query *groups,
                struct group_plan *by)
{
    int r = session_plan_groups(session, by);

    if (r == 0)
        r = session_filter(session, rows, NULL);
    if (r == 0)
        r = session_split_filter(session, groups);
    if (r == 0)
        r = session_columns(session, groups, NULL);
    if (r != 0)
        return r;
    flow_group_sort(groups);
    flow_group_keys(by, rows);
    session->groups = groups;
    if (session->options->format == FORMAT_TEXT || session->options->format == FORMAT_JSON)
        session->request.needs |= NEED_LINKS | NEED_FORWARDED;
    return session_plan_also(session, groups);
}

/* On a terminal, unless something was asked for that is text. */
static bool wants_screen(const struct options *options)
{
    return !options->batch && !options->replay && !options->record && !options->quiet &&
           !options->columns && options->format == FORMAT_TEXT && isatty(STDIN_FILENO) &&
           isatty(STDOUT_FILENO);
}

/* Whether interfaces have to have names, and ports listeners. */
static bool asks_where(const struct options *options)
{
    bool asks = (options->by && (strstr(options->by, "iface") || strstr(options->by, "port"))) ||
                (options->columns &&
                 (strstr(options->columns, "iface") || strstr(options->columns, "all")));

    for (uint32_t i = 0; i < options->word_count && !asks; i++)
        asks = strstr(options->words[i], "iface") != NULL;
    return asks;
}

static int run_top(struct options *options)
{
    struct session session;
    struct group_plan by = {.key_count = 0};
    struct query rows = {.table = &table_flows}, groups = {.table = &by.table};
    int r;

    if (wants_screen(options)) {
        if (top_screen_run(options, &r))
            return r;
        options->batch = true;
    }
    if (replay_is_asked(options))
        return top_pieces_run(options);
    options->watch = true;
    if (!options->watch_count && (options->replay || options->format == FORMAT_JSON))
        options->watch_count = 1;
    r = session_begin(&session, options);
    session.traffic = session.all_flows = true;
    /* Only then interfaces have names, and ports listeners. In text it would cost too much for one
     * line. */
    session.everywhere = options->format == FORMAT_JSON || asks_where(options);
    session.headline = top_put_headline;
    if (r == 0)
        r = plan(&session, &rows, &groups, &by);
    if (r == 0)
        r = session_show(&session, &rows);
    session_end(&session);
    group_plan_done(&by);
    return r;
}

static const char *const examples[] = {
    "nwho top",
    "which processes send and receive now",
    "nwho top --batch -n 3 -d 5",
    "three times, what they did in five seconds",
    "nwho top process nginx --by peer",
    "with whom nginx talks",
    "nwho top dport 443 --by user --json",
    "who uses HTTPS, for a program",
    "nwho top --since 02:00 --until 04:00",
    "plays what nwho serve recorded in these two hours",
    "nwho top 'rx_rate > 1Mbit' --by conn --sort rx_bytes:desc",
    "the connections that receive more than that",
    NULL,
};

const struct command command_top = {
    .name = "top",
    .arguments = "[FILTER]",
    .summary = "traffic now, by process or else (nethogs, iftop)",
    .examples = examples,
    .options = OPTIONS_TOP | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_PAST | OPTIONS_STORE,
    .run = run_top,
};
