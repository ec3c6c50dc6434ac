/* SPDX-License-Identifier: MIT */
/* netstat of net-tools 2.10. */
#include "compat/netstat.h"

#include "compat/personality.h"
#include "compat/say.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "netstat, as nwho shows it: sockets, routes, interfaces and counters\n"
    "\n"
    "usage: netstat [-t] [-u] [-U] [-w] [-x] [-4] [-6] [-A FAMILY] [-a | -l] [-neopvWc]\n"
    "       netstat -r [-6] [-A FAMILY] [-neFCc]\n"
    "       netstat -i [-aec]\n"
    "       netstat -g [-46n]\n"
    "       netstat -s [-6] [-t] [-u] [-w]\n"
    "       netstat -V | -h\n"
    "\n"
    "  -t --tcp  -u --udp  -U --udplite  -S --sctp  -w --raw  -x --unix   which sockets\n"
    "  -4 -6 --inet --inet6 -A --protocol=FAMILY[,FAMILY]                which families\n"
    "  -a --all            also what listens\n"
    "  -l --listening      only what listens\n"
    "  -n --numeric        numbers for hosts, ports and users (--numeric-hosts, -ports, -users)\n"
    "  -e --extend         more columns; twice: still more\n"
    "  -p --programs       process and program of each socket\n"
    "  -o --timers         timers\n"
    "  -W --wide           whole addresses\n"
    "  -c --continuous     again each second\n"
    "  -v --verbose        say which tables this system does not have\n"
    "  -r --route  -i --interfaces  -g --groups  -s --statistics  -M --masquerade   other tables\n"
    "  -C --cache  -F --fib   routes: the cache, or the table\n";

void netstat_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_line("netstat", format, args);
    va_end(args);
}

void netstat_usage(void)
{
    struct buf out = BUF_SINK(STDERR_FILENO);

    buf_puts(&out, help_text);
    (void)buf_flush(&out);
    buf_done(&out);
}

static const char version_text[] = "net-tools 2.10\n(as nwho " NWHO_VERSION " shows it)\n";

const char *netstat_which(const struct netstat_options *options)
{
    if (options->all)
        return "(servers and established)";
    return options->listening ? "(only servers)" : "(w/o servers)";
}

void netstat_no_support(const char *what)
{
    netstat_say("this system has no %s", what);
}

uint64_t netstat_cell_uint(const struct grid *grid, uint32_t row, uint32_t column)
{
    struct value value = grid_cell(grid, row, column);

    return value.type == VALUE_UINT ? value.uint : 0;
}

int netstat_table(struct netstat *netstat, struct query *query, const char *const *columns,
                  uint32_t count, int (*put)(struct netstat *netstat, const struct grid *grid))
{
    struct moment moment;
    struct grid grid;
    int status = NETSTAT_FAILED, r;

    query->column_count = count;
    for (uint32_t i = 0; i < count; i++)
        query->columns[i] = table_column(query->table, columns[i]);
    moment_init(&moment);
    moment.request.needs |= netstat->more_needs;
    r = moment_take(&moment, query);
    if (r == 0)
        r = query_run(query, &moment.view, &grid);
    if (r == 0) {
        status = put(netstat, &grid);
        grid_done(&grid);
        if (!moment_check(&moment, &netstat->names, "netstat", false))
            status = NETSTAT_FAILED;
    } else {
        netstat_say("%s", strerror(-r));
    }
    moment_done(&moment);
    return status;
}

static int show_once(struct netstat *netstat)
{
    switch (netstat->options.show) {
    case NETSTAT_SHOW_HELP:
        buf_puts(&netstat->out, help_text);
        return 0;
    case NETSTAT_SHOW_VERSION:
        buf_puts(&netstat->out, version_text);
        return 0;
    case NETSTAT_SHOW_MASQUERADE:
        netstat_no_support("table of masqueraded connections (see nwho nat)");
        return NETSTAT_FAILED;
    case NETSTAT_SHOW_ROUTES:
        return netstat_routes(netstat);
    case NETSTAT_SHOW_INTERFACES:
        return netstat_interfaces(netstat);
    case NETSTAT_SHOW_STATISTICS:
        return netstat_statistics(netstat);
    default:
        return netstat_sockets(netstat);
    }
}

/* With -c again and again, until something fails or nobody reads; but -s only once. */
static int show(struct netstat *netstat)
{
    bool again = netstat->options.continuous && netstat->options.show != NETSTAT_SHOW_STATISTICS;
    int status;

    do {
        status = show_once(netstat);
        if (buf_flush(&netstat->out) < 0 || status != 0 || !again)
            break;
        netstat->repeated = true;
        sleep(1);
    } while (true);
    return status;
}

static int run(int argc, char **argv)
{
    struct netstat netstat = {.out = BUF_SINK(STDOUT_FILENO),
                              .terminal = isatty(STDOUT_FILENO) == 1};
    int status = netstat_options_parse(argc, argv, &netstat.options);

    if (status != 0)
        return status - 1;
    status = show(&netstat);
    if (buf_flush(&netstat.out) < 0 && netstat.out.error != -EPIPE) {
        netstat_say("the output is not whole: %s", strerror(-netstat.out.error));
        status = NETSTAT_FAILED;
    }
    buf_done(&netstat.out);
    host_names_done(&netstat.names);
    return status;
}

const struct personality personality_netstat = {
    .name = "netstat",
    .summary = "sockets, routes, interfaces, counters, as netstat of net-tools",
    .run = run,
};
