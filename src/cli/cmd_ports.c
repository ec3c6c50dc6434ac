/* SPDX-License-Identifier: MIT */
/* nwho ports: what waits for others, with its queues and who can reach it. */
#include "cli/ports_baseline.h"
#include "cli/session.h"

static int run_ports(struct options *options)
{
    struct query query = {.table = &table_sockets};

    if (options->save_baseline || options->diff)
        return ports_baseline(options);
    return session_answer(options, &query, options->exposed ? "listen and exposed" : "listen",
                          "proto,local,serves,scope,accept,syn_queue,owner,unit");
}

static const char *const examples[] = {
    "nwho ports",
    "all listeners with their owners",
    "nwho ports --exposed",
    "what other machines can reach",
    "nwho ports 'accept_queue > 0'",
    "listeners that connections wait at",
    "nwho ports --save-baseline",
    "keep what listens now",
    "nwho ports --diff",
    "what began or ceased to listen since then, or is another's",
    NULL,
};

const struct command command_ports = {
    .name = "ports",
    .arguments = "[FILTER]",
    .summary = "what listens, whose it is, who can reach it (netstat -tulpn)",
    .examples = examples,
    .options = OPTIONS_SOCKETS | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_TRAFFIC |
               OPTIONS_PORTS | OPTIONS_THREADS,
    .run = run_ports,
};
