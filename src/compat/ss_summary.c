/* SPDX-License-Identifier: MIT */
/* The totals of ss -s: what the counters of sockstat and snmp say about how many sockets there are.
 */
#include "compat/ss_summary.h"

#include "base/buf.h"
#include "compat/moment.h"
#include "compat/ss_files.h"

enum total {
    TOTAL_SOCKETS,
    TOTAL_TCP_ALLOCATED,
    TOTAL_TCP_ORPHANS,
    TOTAL_TCP_TIME_WAIT,
    TOTAL_TCP_ESTABLISHED,
    TOTAL_TCP,
    TOTAL_TCP6,
    TOTAL_UDP,
    TOTAL_UDP6,
    TOTAL_RAW,
    TOTAL_RAW6,
    TOTAL_FRAGMENTS,
    TOTAL_FRAGMENTS6,
    TOTAL_MAX,
};

static const char *const counter_names[TOTAL_MAX] = {
    [TOTAL_SOCKETS] = "SockUsed",
    [TOTAL_TCP_ALLOCATED] = "SockTCPAlloc",
    [TOTAL_TCP_ORPHANS] = "SockTCPOrphan",
    [TOTAL_TCP_TIME_WAIT] = "SockTCPTw",
    [TOTAL_TCP_ESTABLISHED] = "TcpCurrEstab",
    [TOTAL_TCP] = "SockTCPInuse",
    [TOTAL_TCP6] = "SockTCP6Inuse",
    [TOTAL_UDP] = "SockUDPInuse",
    [TOTAL_UDP6] = "SockUDP6Inuse",
    [TOTAL_RAW] = "SockRAWInuse",
    [TOTAL_RAW6] = "SockRAW6Inuse",
    [TOTAL_FRAGMENTS] = "SockFRAGInuse",
    [TOTAL_FRAGMENTS6] = "SockFRAG6Inuse",
};

enum { COLUMN_NAME, COLUMN_VALUE, COLUMN_MAX };

static const char *const column_names[COLUMN_MAX] = {
    [COLUMN_NAME] = "counter",
    [COLUMN_VALUE] = "value",
};

static void take_counter(const struct value *name, const struct value *value, int *totals)
{
    for (size_t i = 0; i < TOTAL_MAX; i++)
        if (value_is_text(name, counter_names[i]))
            totals[i] = value->type == VALUE_INT ? (int)value->integer : (int)value->uint;
}

/* What no file tells stays 0, as the real tool shows it. */
static int take_totals(struct moment *moment, int *totals)
{
    struct query query = {.table = &table_counters, .as_found = true};
    struct ss_files files;
    struct grid grid;
    int r;

    for (size_t i = 0; i < COLUMN_MAX; i++)
        query.columns[query.column_count++] = table_column(query.table, column_names[i]);
    moment->request.files = ss_files_find(&files, &moment->request.protos);
    r = moment_take(moment, &query);
    if (r == 0)
        r = query_run(&query, &moment->view, &grid);
    if (r != 0)
        return r;
    for (uint32_t row = 0; row < grid.row_count; row++) {
        struct value name = grid_cell(&grid, row, COLUMN_NAME);
        struct value value = grid_cell(&grid, row, COLUMN_VALUE);

        take_counter(&name, &value, totals);
    }
    grid_done(&grid);
    return 0;
}

static void put_row(struct buf *out, const char *title, int ipv4, int ipv6)
{
    buf_printf(out, "%s\t  %-9d %-9d %-9d\n", title, ipv4 + ipv6, ipv4, ipv6);
}

static void put_totals(struct buf *out, const int *totals)
{
    int time_wait = totals[TOTAL_TCP_TIME_WAIT], allocated = totals[TOTAL_TCP_ALLOCATED];

    buf_printf(out, "Total: %d\n", totals[TOTAL_SOCKETS]);
    buf_printf(out, "TCP:   %d (estab %d, closed %d, orphaned %d, timewait %d)\n\n",
               allocated + time_wait, totals[TOTAL_TCP_ESTABLISHED],
               allocated - (totals[TOTAL_TCP] + totals[TOTAL_TCP6] - time_wait),
               totals[TOTAL_TCP_ORPHANS], time_wait);
    buf_puts(out, "Transport Total     IP        IPv6\n");
    put_row(out, "RAW", totals[TOTAL_RAW], totals[TOTAL_RAW6]);
    put_row(out, "UDP", totals[TOTAL_UDP], totals[TOTAL_UDP6]);
    put_row(out, "TCP", totals[TOTAL_TCP], totals[TOTAL_TCP6]);
    put_row(out, "INET", totals[TOTAL_RAW] + totals[TOTAL_UDP] + totals[TOTAL_TCP],
            totals[TOTAL_RAW6] + totals[TOTAL_UDP6] + totals[TOTAL_TCP6]);
    put_row(out, "FRAG", totals[TOTAL_FRAGMENTS], totals[TOTAL_FRAGMENTS6]);
    buf_byte(out, '\n');
}

int ss_summary(void)
{
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int totals[TOTAL_MAX] = {0}, r;
    struct moment moment;

    moment_init(&moment);
    r = take_totals(&moment, totals);
    if (r == 0) {
        put_totals(&out, totals);
        r = buf_flush(&out);
    }
    buf_done(&out);
    moment_done(&moment);
    return r;
}
