/* SPDX-License-Identifier: MIT */
/* nwho if: interfaces with state, counters and rates. */
#include "cli/session.h"

static const char *usual_columns(const struct options *options)
{
    if (options->watch)
        return "iface,rx_rate,rx_rate_avg,rx_rate_max,rx_since,tx_rate,tx_rate_avg,tx_rate_max,"
               "tx_since,errors,drops";
    return options->delta ? "iface,state,rx_rate,tx_rate,rx_packet_rate,tx_packet_rate,util,errors,"
                            "drops"
                          : NULL;
}

static int run_if(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_interfaces};
    int r = session_begin(&session, options);

    if (r == 0)
        r = session_filter(&session, &query, NULL);
    if (r == 0)
        r = session_columns(&session, &query, usual_columns(options));
    if (r == 0 && options->delta)
        r = session_take_first(&session, &query);
    if (r == 0)
        r = session_show(&session, &query);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho if",
    "every interface: state, bytes, packets, errors, drops",
    "nwho if eth0 -o all",
    "everything that is counted for one",
    "nwho if -d 5",
    "bytes and packets a second, in the next five seconds",
    "nwho if --watch",
    "the same again and again: now, on average, at most, and the sum",
    "nwho if 'rx_errors > 0 or rx_dropped > 0 or qdisc_drops > 0'",
    "those that lose packets",
    NULL,
};

const struct command command_if = {
    .name = "if",
    .arguments = "[DEV|FILTER]",
    .summary = "interfaces: state, counters, rates, queue drops (netstat -i, ip -s link)",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_IF,
    .run = run_if,
};
