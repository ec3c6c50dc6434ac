/* SPDX-License-Identifier: MIT */
/* nwho ps: processes (or threads) and what they have on the network. */
#include "cli/session.h"

static int run_ps(struct options *options)
{
    struct query query = {.table = options->threads ? &table_threads : &table_processes};

    return session_answer(options, &query, options->threads ? NULL : "sockets > 0", NULL);
}

static const char *const examples[] = {
    "nwho ps",
    "processes that have internet sockets",
    "nwho ps --sort sockets:desc --limit 10",
    "the ten with the most sockets",
    "nwho ps -a user www-data",
    "also unix and other sockets of one user",
    "nwho ps --threads process nginx",
    "the threads that share the sockets",
    NULL,
};

const struct command command_ps = {
    .name = "ps",
    .arguments = "[FILTER]",
    .summary = "per process: sockets, states, descriptors",
    .examples = examples,
    .options = OPTIONS_SOCKETS | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_TRAFFIC |
               OPTIONS_THREADS,
    .run = run_ps,
};
