/* SPDX-License-Identifier: MIT */
/* nwho if DEV --by size|proto: counts packets for some seconds, or again and again. */
#include "cli/if_packets.h"

#include "base/advice.h"
#include "cli/session.h"
#include "collect/packet_counts.h"

#include <time.h>

#define USUAL_MS 1000

static int count_error(int error)
{
    if (error == -EPERM || error == -EACCES)
        return command_error(
            "--by counts the packets themselves: that takes CAP_NET_RAW" RUN_AS_ROOT);
    return command_error("cannot count packets: %s", strerror(-error));
}

/* The interfaces that are called `name`, in the namespaces that are asked for. */
static int find_links(struct session *session, const char *name, struct grid *ret_grid)
{
    struct query query = {.table = &table_interfaces};
    struct buf word = BUF_INIT;
    int r;

    session_put_quoted(name, &word);
    buf_string(&word);
    r = word.error ? command_error("out of memory") : 0;
    if (r == 0)
        r = session_filter_text(session, &query, NULL, word.data);
    buf_done(&word);
    if (r == 0)
        r = session_plan_also(session, &query);
    if (r == 0)
        r = session_select(session, &query, ret_grid);
    if (r != 0)
        return r;
    if (ret_grid->row_count == 0) {
        session_notes(session);
        session_hint(session);
        grid_done(ret_grid);
        r = EXIT_ERROR;
    }
    return r;
}

static int begin(const struct options *options, const char *name, struct packet_counts **ret_counts)
{
    struct session session;
    struct grid grid;
    int r = session_begin(&session, options);

    if (r == 0)
        r = find_links(&session, name, &grid);
    if (r == 0) {
        r = packet_counts_open(&session.now->snapshot, grid.rows, grid.row_count,
                               session.request.sources & SOURCE_BPF, ret_counts);
        if (r < 0)
            r = count_error(r);
        grid_done(&grid);
    }
    session_end(&session);
    return r;
}

static void wait_ms(uint64_t milliseconds)
{
    struct timespec left = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

#define USUAL "packets,bytes,share,rx_packet_rate,tx_packet_rate"

/* What moves now, rather than how much there was of each way. */
static const char *usual_columns(const struct options *options, const struct table *table)
{
    if (!options->watch)
        return NULL;
    return table == &table_packet_sizes ? "size," USUAL : "protocol," USUAL;
}

static int show(const struct options *options, const struct table *table,
                struct packet_counts *counts)
{
    struct session session;
    struct query query = {.table = table};
    int r = session_begin(&session, options);

    session.request.packet_counts = counts;
    if (r == 0)
        r = session_filter(&session, &query, NULL);
    if (r == 0)
        r = session_columns(&session, &query, usual_columns(options, table));
    if (r == 0 && counts && !options->watch)
        wait_ms(options->delta ? options->delta_ms : USUAL_MS);
    if (r == 0)
        r = session_show(&session, &query);
    session_end(&session);
    return r;
}

static const struct table *find_table(const char *by)
{
    if (strcmp(by, "size") == 0)
        return &table_packet_sizes;
    return strcmp(by, "proto") == 0 || strcmp(by, "protocol") == 0 ? &table_packet_protocols : NULL;
}

int if_packets(struct options *options)
{
    const struct table *table = find_table(options->by);
    struct packet_counts *counts = NULL;
    int r = 0;

    if (!table)
        return command_error("--by: \"%s\" is neither size nor proto", options->by);
    if (!options->replay) {
        if (options->word_count == 0)
            return command_error("--by needs the name of an interface: nwho if lo --by %s",
                                 options->by);
        r = begin(options, options->words[0], &counts);
        options->words++;
        options->word_count--;
    }
    if (r == 0)
        r = show(options, table, counts);
    packet_counts_close(counts);
    return r;
}
