/* SPDX-License-Identifier: MIT */
/* nwho ls: sockets with their owners. */
#include "cli/session.h"

static int run_ls(struct options *options)
{
    struct query query = {.table = &table_sockets};

    return session_answer(options, &query, NULL, NULL);
}

static const char *const examples[] = {
    "nwho ls",
    "all internet sockets",
    "nwho ls -tl",
    "listening TCP sockets",
    "nwho ls established process nginx",
    "connections of nginx",
    "nwho ls dst 10.0.0.0/8 dport :443 'rtt > 100ms' -o +rtt_us,retrans",
    "slow connections to a network",
    "nwho ls unix /run/docker.sock",
    "who is connected to a unix socket",
    NULL,
};

const struct command command_ls = {
    .name = "ls",
    .arguments = "[FILTER]",
    .summary = "sockets with their owners (ss, netstat -a, lsof -i)",
    .examples = examples,
    .options = OPTIONS_SOCKETS | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_TRAFFIC |
               OPTIONS_THREADS,
    .run = run_ls,
};
