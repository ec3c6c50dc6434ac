/* SPDX-License-Identifier: MIT */
/* nwho if: interfaces with state, counters and rates. */
#include "cli/session.h"

static int run_if(struct options *options)
{
    struct query query = {.table = &table_interfaces};
    const char *usual = options->watch ? "iface,state,speed_bits,rx_rate,tx_rate,rx_packet_rate,"
                                         "tx_packet_rate,util,rx_errors,tx_errors,rx_dropped,"
                                         "tx_dropped,qdisc_drops"
                                       : NULL;

    return session_answer(options, &query, NULL, usual);
}

static const char *const examples[] = {
    "nwho if",
    "every interface: state, bytes, packets, errors, drops",
    "nwho if eth0 -o all",
    "everything that is counted for one",
    "nwho if --watch",
    "bytes and packets per second, and what was lost meanwhile",
    "nwho if 'rx_errors > 0 or rx_dropped > 0 or qdisc_drops > 0'",
    "those that lose packets",
    NULL,
};

const struct command command_if = {
    .name = "if",
    .arguments = "[DEV|FILTER]",
    .summary = "interfaces: state, counters, rates, queue drops (netstat -i, ip -s link)",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH,
    .run = run_if,
};
