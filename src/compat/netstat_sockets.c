/* SPDX-License-Identifier: MIT */
/* netstat: its query for sockets, and which parts are shown of them. */
#include "compat/netstat.h"

#include <string.h>
#include <sys/socket.h>

static const char *const column_names[NETSTAT_COLUMN_MAX] = {
    [NETSTAT_PROTO] = "proto",
    [NETSTAT_FAMILY] = "family",
    [NETSTAT_TYPE] = "type",
    [NETSTAT_STATE] = "state",
    [NETSTAT_RECV_Q] = "recv_q",
    [NETSTAT_SEND_Q] = "send_q",
    [NETSTAT_LOCAL_ADDR] = "local_addr",
    [NETSTAT_LOCAL_PORT] = "local_port",
    [NETSTAT_PEER_ADDR] = "peer_addr",
    [NETSTAT_PEER_PORT] = "peer_port",
    [NETSTAT_PROTOCOL] = "protocol",
    [NETSTAT_UID] = "uid",
    [NETSTAT_INODE] = "inode",
    [NETSTAT_TIMER] = "timer",
    [NETSTAT_TIMER_MS] = "timer_ms",
    [NETSTAT_TRIES] = "timer_tries",
    [NETSTAT_PATH] = "path",
    [NETSTAT_REFERENCES] = "references",
    [NETSTAT_PID] = "pid",
    [NETSTAT_ARGV0] = "argv0",
};

static struct query make_query(const struct netstat_options *options)
{
    struct query query = {.table = &table_sockets, .as_found = true};

    query.column_count = options->programs ? NETSTAT_COLUMN_MAX : NETSTAT_PID;
    for (uint32_t i = 0; i < query.column_count; i++)
        query.columns[i] = table_column(query.table, column_names[i]);
    return query;
}

/* What listens is not even asked for where it is not shown. */
static void make_request(const struct netstat_options *options, struct request *request)
{
    request->verbatim = true;
    if (options->timers || options->extend)
        request->needs |= NEED_TCP_FILE;
    request->protos = options->protos;
    if (options->families & NETSTAT_UNIX)
        request->protos |= PROTO_BIT(PROTO_UNIX);
    request->families = (options->families & NETSTAT_INET ? FAMILY_BIT(AF_INET) : 0) |
                        (options->families & NETSTAT_INET6 ? FAMILY_BIT(AF_INET6) : 0);
    request->states = STATE_ALL & ~STATE_BIT(STATE_BOUND_INACTIVE);
    if (!options->all && !options->listening)
        request->states &= ~STATE_BIT(STATE_LISTENING);
    if (!options->all && options->listening && options->protos == PROTO_BIT(PROTO_TCP))
        request->states = STATE_BIT(STATE_LISTENING);
}

/* Families that Linux has no more, or this system has not, in the order of the real tool. */
static int check_families(const struct netstat_options *options)
{
    static const struct {
        enum netstat_family family;
        const char *name;
    } lost[] = {
        {NETSTAT_IPX, "IPX"},        {NETSTAT_AX25, "AX.25"}, {NETSTAT_X25, "X.25"},
        {NETSTAT_NETROM, "NET/ROM"}, {NETSTAT_ROSE, "ROSE"},  {NETSTAT_BLUETOOTH, "Bluetooth"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
        if (options->families & lost[i].family) {
            netstat_no_support(lost[i].name);
            return NETSTAT_FAILED;
        }
    return 0;
}

static int show_grid(struct netstat *netstat, const struct grid *grid)
{
    int status = 0;

    if (netstat->options.protos)
        status = netstat_inet(netstat, grid);
    if (status == 0 && netstat->options.groups)
        status = netstat_groups(netstat);
    if (status == 0 && netstat->options.families & NETSTAT_UNIX)
        status = netstat_unix(netstat, grid);
    return status == 0 ? check_families(&netstat->options) : status;
}

static int show_sockets(struct netstat *netstat)
{
    struct query query = make_query(&netstat->options);
    struct moment moment;
    struct grid grid;
    int status = NETSTAT_FAILED, r;

    moment_init(&moment);
    make_request(&netstat->options, &moment.request);
    r = moment_take(&moment, &query);
    if (r == 0)
        r = query_run(&query, &moment.view, &grid);
    if (r == 0) {
        status = show_grid(netstat, &grid);
        if (!moment_check(&moment, &netstat->names, "netstat",
                          netstat->options.programs && !netstat->repeated))
            status = NETSTAT_FAILED;
        grid_done(&grid);
    } else {
        netstat_say("%s", strerror(-r));
    }
    moment_done(&moment);
    return status;
}

/* Groups alone need no sockets. */
int netstat_sockets(struct netstat *netstat)
{
    if (netstat->options.protos || netstat->options.families & NETSTAT_UNIX)
        return show_sockets(netstat);
    return show_grid(netstat, NULL);
}
