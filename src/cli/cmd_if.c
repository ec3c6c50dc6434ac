/* SPDX-License-Identifier: MIT */
/* nwho if: interfaces with state, counters and rates. */
#include "cli/if_packets.h"
#include "cli/if_screen.h"

/* All that the screen shows, so that it is read. */
#define SCREEN_COLUMNS "iface,state,speed_bits,util,qdisc_drops"

static const char *usual_columns(const struct options *options)
{
    if (options->watch)
        return "iface,rx_rate,rx_rate_avg,rx_rate_min,rx_rate_max,rx_since,"
               "tx_rate,tx_rate_avg,tx_rate_min,tx_rate_max,tx_since,errors,drops";
    return options->delta ? "iface,state,rx_rate,tx_rate,rx_packet_rate,tx_packet_rate,util,errors,"
                            "drops"
                          : NULL;
}

/* "eth0" alone, and nothing said of columns. */
static bool wants_screen(const struct session *session)
{
    const struct options *options = session->options;

    return options->watch && options->format == FORMAT_TEXT && !options->columns &&
           options->word_count == 1 && filter_is_name(session->words) &&
           !strpbrk(options->words[0], " !");
}

/* What never was ends the screen; what was may come back. */
struct watched {
    struct session *session;
    struct if_screen screen;
    bool was_there;
};

static int write_screen(void *context, const struct grid *grid, uint32_t rows, uint32_t columns,
                        struct buf *out)
{
    struct watched *watched = context;

    watched->was_there |= grid->row_count > 0;
    if (!watched->was_there) {
        session_notes(watched->session);
        session_hint(watched->session);
        return EXIT_ERROR;
    }
    return if_screen_write(&watched->screen, grid, rows, columns, out);
}

static int run_if(struct options *options)
{
    struct session session;
    struct query query = {.table = &table_interfaces};
    struct watched watched = {.session = &session};
    int r;

    if (options->by)
        return if_packets(options);
    r = session_begin(&session, options);

    if_screen_begin(&watched.screen);
    if (r == 0)
        r = session_filter(&session, &query, NULL);
    if (r == 0)
        r = session_columns(&session, &query,
                            wants_screen(&session) ? SCREEN_COLUMNS : usual_columns(options));
    if (r == 0 && wants_screen(&session)) {
        session.screen = write_screen;
        session.screen_context = &watched;
        watched.was_there = options->replay; /* a recording need not have interfaces */
    }
    if (r == 0 && options->delta)
        r = session_take_first(&session, &query);
    if (r == 0)
        r = session_show(&session, &query);
    session_end(&session);
    if_screen_end(&watched.screen);
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
    "the same again and again: now, on average, at least, at most, and the bytes since then",
    "nwho if eth0 --watch",
    "a screen of one: rates with graphs, totals, packets, losses",
    "nwho if eth0 --by size -d 5",
    "packets of the next five seconds by their size",
    "nwho if eth0 --by proto --watch",
    "packets by protocol, until q",
    "nwho if 'rx_errors > 0 or rx_dropped > 0 or qdisc_drops > 0'",
    "those that lose packets",
    NULL,
};

const struct command command_if = {
    .name = "if",
    .arguments = "[DEV|FILTER]",
    .summary = "interfaces: rates, errors, drops (netstat -i, ip -s link)",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_IF,
    .run = run_if,
};
