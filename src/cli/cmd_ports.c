/* SPDX-License-Identifier: MIT */
/* nwho ports: what waits for others, with its queues and who can reach it. */
#include "cli/session.h"

static int run_ports(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_sockets};
    int r = session_begin(&session, options);

    if (r == 0)
        r = session_filter(&session, &query, options->exposed ? "listen and exposed" : "listen");
    if (r == 0)
        r = session_columns(&session, &query,
                            "proto,local,serves,scope,accept,syn_queue,owner,unit");
    if (r == 0)
        r = session_show(&session, &query);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho ports",
    "all listeners with their owners",
    "nwho ports --exposed",
    "what other machines can reach",
    "nwho ports 'accept_queue > 0'",
    "listeners that connections wait at",
    NULL,
};

const struct command command_ports = {
    .name = "ports",
    .arguments = "[FILTER]",
    .summary = "listeners: owner, accept queue, SYN queue, reach (netstat -tulpn)",
    .examples = examples,
    .options = OPTIONS_SOCKETS | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_PORTS |
               OPTIONS_THREADS,
    .run = run_ports,
};
