/* SPDX-License-Identifier: MIT */
/* nethogs: what each process has done, and the lines that tell of it. */
#include "base/hash.h"
#include "compat/nethogs.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/vec.h"
#include "derive/address.h"

#include <string.h>
#include <sys/socket.h>

/* A row goes when it has been silent for so long. */
#define KEEP_NS (150 * SECOND_NS)

double nethogs_number(enum nethogs_view view, uint64_t total, uint64_t last, uint64_t interval_ns)
{
    double rate = interval_ns ? (double)last * 1e9 / (double)interval_ns : 0;

    switch (view) {
    case NETHOGS_TOTAL_KB:
        return (double)total / 1024;
    case NETHOGS_TOTAL_BYTES:
        return (double)total;
    case NETHOGS_TOTAL_MB:
        return (double)total / 1024 / 1024;
    case NETHOGS_MB_PER_SECOND:
        return rate / 1024 / 1024;
    case NETHOGS_GB_PER_SECOND:
        return rate / 1024 / 1024 / 1024;
    default:
        return rate / 1024;
    }
}

/* --- rows --- */

static uint64_t hash_of(const struct nethogs_row *row)
{
    uint64_t hash = ((uint64_t)row->pid << 40 ^ row->start_ticks) * UINT64_C(0x9e3779b97f4a7c15);

    return row->pid ? hash : hash_bytes(hash, row->name, strlen(row->name));
}

static bool is_same(const struct nethogs_row *a, const struct nethogs_row *b)
{
    if (a->pid != b->pid || a->start_ticks != b->start_ticks)
        return false;
    return a->pid || (a->uid == b->uid && strcmp(a->name, b->name) == 0);
}

/* The row of this identity, or MAP_NONE and the key that is free for it. */
static uint32_t find(const struct nethogs_rows *rows, const struct nethogs_row *row,
                     uint64_t *ret_key)
{
    uint64_t key = hash_of(row);
    uint32_t index;

    while ((index = map_get(&rows->index, key)) != MAP_NONE && !is_same(&rows->rows[index], row))
        key++;
    *ret_key = key;
    return index;
}

static int find_or_add(struct nethogs_rows *rows, const struct nethogs_row *wanted,
                       uint32_t *ret_index)
{
    uint64_t key;
    uint32_t index = find(rows, wanted, &key);
    char *name;
    int r;

    if (index != MAP_NONE) {
        *ret_index = index;
        return 0;
    }
    r = VEC_RESERVE(&rows->rows, &rows->capacity, rows->count, 1);
    if (r < 0)
        return r;
    name = strdup(wanted->name);
    r = name ? map_set(&rows->index, key, rows->count) : -ENOMEM;
    if (r < 0) {
        free(name);
        return r;
    }
    rows->rows[rows->count] = *wanted;
    rows->rows[rows->count].name = name;
    *ret_index = rows->count++;
    return 0;
}

int nethogs_rows_init(struct nethogs_rows *rows)
{
    static const char *const names[NETHOGS_UNKNOWN_MAX] = {"unknown TCP", "unknown UDP"};
    int r = 0;

    *rows = (struct nethogs_rows){.scratch = BUF_INIT, .connections = BUF_INIT};
    for (uint32_t i = 0; i < NETHOGS_UNKNOWN_MAX && r == 0; i++) {
        struct nethogs_row row = {.name = (char *)(uintptr_t)names[i]};
        uint32_t index;

        r = find_or_add(rows, &row, &index);
    }
    return r;
}

void nethogs_rows_done(struct nethogs_rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++)
        free(rows->rows[i].name);
    free(rows->rows);
    map_done(&rows->index);
    buf_done(&rows->scratch);
    buf_done(&rows->connections);
}

/* Begins an interval: rows that are silent for long go. 0 or -ENOMEM. */
static int begin(struct nethogs_rows *rows)
{
    uint32_t kept = NETHOGS_UNKNOWN_MAX;
    int r = 0;

    for (uint32_t i = 0; i < rows->count; i++)
        rows->rows[i].last = (struct traffic){0};
    for (uint32_t i = kept; i < rows->count; i++)
        if (rows->rows[i].last_ns + KEEP_NS < rows->now_ns)
            free(rows->rows[i].name);
        else
            rows->rows[kept++] = rows->rows[i];
    if (kept == rows->count)
        return 0;
    rows->count = kept;
    map_clear(&rows->index);
    for (uint32_t i = 0; i < kept && r == 0; i++) {
        uint64_t key;

        find(rows, &rows->rows[i], &key);
        r = map_set(&rows->index, key, i);
    }
    return r;
}

/* --- names --- */

static void put_end(struct buf *text, const struct flow *flow, const union address *address,
                    uint16_t port)
{
    if (address_is_mapped(flow->family, address))
        buf_address(text, AF_INET, address->bytes + 12);
    else
        buf_address(text, flow->family, address->bytes);
    buf_byte(text, ':');
    buf_uint(text, port);
}

static void put_connection(struct buf *text, const struct flow *flow)
{
    put_end(text, flow, &flow->local, flow->local_port);
    buf_byte(text, '-');
    put_end(text, flow, &flow->peer, flow->peer_port);
}

/* The program as it was called, and with -l what it was called with. */
static void put_program(struct buf *text, const struct traffic_reader *reader,
                        const struct flow *flow, const struct nethogs_options *options)
{
    const struct snapshot *snapshot = &reader->moment.snapshot;
    const struct process *process = flow->process ? &snapshot->processes[flow->process - 1] : NULL;
    bool has_line = process && process->has & PROCESS_HAS_CMDLINE;
    size_t length = 0, line_length;
    const char *name = "", *slash, *line;

    if (has_line)
        name = snapshot_string(snapshot, process->argv0, &length);
    if (!length && process && process->has & PROCESS_HAS_COMM)
        name = snapshot_string(snapshot, process->comm, &length);
    else if (!length)
        name = snapshot_string(snapshot, flow->comm, &length);
    slash = options->base_name ? memrchr(name, '/', length) : NULL;
    if (slash) {
        length -= (size_t)(slash + 1 - name);
        name = slash + 1;
    }
    buf_put(text, name, length);
    if (!has_line || !options->command_line)
        return;
    snapshot_string(snapshot, process->argv0, &length);
    line = snapshot_string(snapshot, process->cmdline, &line_length);
    if (line_length > length)
        buf_put(text, line + length, line_length - length);
}

/* --- adding up --- */

static bool is_udp(const struct flow *flow)
{
    return flow->proto == PROTO_UDP || flow->proto == PROTO_UDPLITE;
}

static bool is_wanted(const struct flow *flow, const struct nethogs_options *options)
{
    bool wanted = options->pid_count == 0;

    for (uint32_t i = 0; i < options->pid_count && !wanted; i++)
        wanted = options->pids[i] == flow->pid;
    if (flow->flags & (FLOW_FOLDED | FLOW_OTHER)) /* of which protocol it was nobody knows */
        return wanted;
    return wanted && (flow->proto == PROTO_TCP || flow->proto == PROTO_MPTCP ||
                      (options->udp && is_udp(flow)));
}

/* What no process has: a connection that is open has its own row, the others are unknown. */
static int row_of_nobody(struct nethogs_rows *rows, const struct flow *flow, uint32_t *ret_index)
{
    struct nethogs_row row = {.uid = 0};

    *ret_index = is_udp(flow) ? NETHOGS_UNKNOWN_UDP : NETHOGS_UNKNOWN_TCP;
    if (!flow->cookie || !flow->peer_port)
        return 0;
    if (flow->flags & FLOW_CLOSED) {
        buf_puts(&rows->connections, "Unknown connection: ");
        put_connection(&rows->connections, flow);
        buf_byte(&rows->connections, '\n');
        return 0;
    }
    buf_reset(&rows->scratch);
    put_connection(&rows->scratch, flow);
    row.name = (char *)(uintptr_t)buf_string(&rows->scratch);
    return find_or_add(rows, &row, ret_index);
}

static int row_of(struct nethogs_rows *rows, const struct traffic_reader *reader,
                  const struct flow *flow, const struct nethogs_options *options,
                  uint32_t *ret_index)
{
    struct nethogs_row row = {.pid = flow->pid, .start_ticks = flow->start_ticks, .uid = flow->uid};
    char *name;
    int r;

    if (!flow->pid && !(flow->flags & FLOW_FOLDED))
        return row_of_nobody(rows, flow, ret_index);
    buf_reset(&rows->scratch);
    put_program(&rows->scratch, reader, flow, options);
    row.name = (char *)(uintptr_t)buf_string(&rows->scratch);
    r = rows->scratch.error ? rows->scratch.error : find_or_add(rows, &row, ret_index);
    if (r != 0 || strcmp(rows->rows[*ret_index].name, row.name) == 0)
        return r;
    name = strdup(row.name); /* it has another name since, by execve(2) */
    if (!name)
        return -ENOMEM;
    free(rows->rows[*ret_index].name);
    rows->rows[*ret_index].name = name;
    rows->rows[*ret_index].uid = flow->uid;
    return 0;
}

int nethogs_rows_add(struct nethogs_rows *rows, const struct traffic_reader *reader,
                     const struct nethogs_options *options)
{
    const struct snapshot *snapshot = &reader->moment.snapshot;
    int r;

    rows->interval_ns = snapshot->window_ns[FLOW_LAST];
    rows->now_ns = snapshot->boot_ns;
    buf_reset(&rows->connections);
    r = begin(rows);
    for (uint32_t i = 0; i < reader->grid.row_count && r == 0; i++) {
        const struct flow *flow = traffic_flow(reader, &options->devices, i);
        struct traffic last;
        uint32_t index;

        if (!flow || !is_wanted(flow, options))
            continue;
        last = flow->window[FLOW_LAST];
        if (!last.rx_bytes && !last.tx_bytes)
            continue;
        r = row_of(rows, reader, flow, options, &index);
        if (r != 0)
            break;
        traffic_add(&rows->rows[index].last, last);
        traffic_add(&rows->rows[index].total, last);
        rows->rows[index].last_ns = rows->now_ns;
    }
    return r < 0 ? r : rows->connections.error;
}

/* --- lines --- */

/* What decides the order. */
struct place {
    uint64_t first, then;
    uint32_t index;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->first != y->first)
        return x->first > y->first ? -1 : 1;
    if (x->then != y->then)
        return x->then > y->then ? -1 : 1;
    return x->index > y->index ? -1 : x->index < y->index;
}

static struct place *order_rows(const struct nethogs_rows *rows,
                                const struct nethogs_options *options)
{
    struct place *places = calloc((size_t)rows->count + 1, sizeof(*places));
    bool total = options->view == NETHOGS_TOTAL_KB || options->view == NETHOGS_TOTAL_BYTES ||
                 options->view == NETHOGS_TOTAL_MB;

    for (uint32_t i = 0; places && i < rows->count; i++) {
        struct traffic bytes = total ? rows->rows[i].total : rows->rows[i].last;

        places[i].first = options->by_sent ? bytes.tx_bytes : bytes.rx_bytes;
        places[i].then = options->by_sent ? bytes.rx_bytes : bytes.tx_bytes;
        places[i].index = i; /* those that nobody has come last */
    }
    if (places)
        qsort(places, rows->count, sizeof(*places), compare_places);
    return places;
}

static void put_row(const struct nethogs_rows *rows, const struct nethogs_row *row,
                    enum nethogs_view view, bool terminal, struct buf *out)
{
    if (terminal)
        escape_text(out, row->name, strlen(row->name));
    else
        buf_puts(out, row->name);
    buf_printf(out, "/%u/%u\t%g\t%g\n", row->pid, row->uid,
               nethogs_number(view, row->total.tx_bytes, row->last.tx_bytes, rows->interval_ns),
               nethogs_number(view, row->total.rx_bytes, row->last.rx_bytes, rows->interval_ns));
}

int nethogs_rows_write(const struct nethogs_rows *rows, const struct nethogs_options *options,
                       bool terminal, struct buf *out)
{
    CLEANUP_FREE struct place *places = order_rows(rows, options);

    if (!places)
        return -ENOMEM;
    buf_puts(out, "\nRefreshing:\n");
    for (uint32_t i = 0; i < rows->count; i++)
        if (options->udp || places[i].index != NETHOGS_UNKNOWN_UDP)
            put_row(rows, &rows->rows[places[i].index], options->view, terminal, out);
    buf_put(out, rows->connections.data, rows->connections.length);
    return 0;
}
