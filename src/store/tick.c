/* SPDX-License-Identifier: MIT */
/* Tick: flows are added up by process and endpoint, and the small ones become one. */
#include "store/tick.h"

#include "base/hash.h"
#include "base/vec.h"
#include "derive/port_range.h"

#include <string.h>

_Static_assert(sizeof(struct endpoint) == 16 + 16 + 2 + 3 + 3, "compared and hashed as bytes");

static const struct endpoint not_told_apart;

bool tick_has(const struct flow *flow)
{
    const struct traffic *last = &flow->window[FLOW_LAST];
    const struct wire *wire = &flow->wire_last;

    return last->rx_bytes || last->tx_bytes || wire->rx_packets || wire->tx_packets;
}

/* Sockets that wait for datagrams at a port which the kernel chose are those of clients. */
static bool is_incoming(const struct snapshot *snapshot, const struct flow_join *join,
                        const struct flow *flow)
{
    uint16_t port = flow_service_port(snapshot, join, flow);

    if (!port || port != flow->local_port)
        return false;
    return flow->proto == PROTO_TCP || !port_range_has(snapshot, flow->netns, port);
}

static void describe(const struct snapshot *snapshot, const struct flow_join *join,
                     const struct flow *flow, struct endpoint *ret_endpoint)
{
    bool incoming = is_incoming(snapshot, join, flow);
    const struct interface *interface =
        flow->ifindex ? snapshot_interface(snapshot, flow->netns, flow->ifindex) : NULL;
    size_t length;

    *ret_endpoint = not_told_apart;
    if (!flow->family || flow->flags & (FLOW_FOLDED | FLOW_OTHER))
        return;
    ret_endpoint->address = flow->peer;
    ret_endpoint->family = flow->family;
    ret_endpoint->proto = flow->proto;
    ret_endpoint->port = incoming ? flow->local_port : flow->peer_port;
    ret_endpoint->direction = incoming ? ENDPOINT_IN : ENDPOINT_OUT;
    if (interface) {
        const char *name = snapshot_string(snapshot, interface->name, &length);

        memcpy(ret_endpoint->interface, name, length < 16 ? length : 16);
    }
}

static uint64_t hash_row(uint32_t process, const struct endpoint *endpoint)
{
    return hash_number(endpoint_hash(endpoint), process);
}

static bool is_same(const struct tick_flow *row, uint32_t process, const struct endpoint *endpoint)
{
    return row->process == process && memcmp(&row->endpoint, endpoint, sizeof(*endpoint)) == 0;
}

static int find_row(struct tick_flows *flows, struct map *index, uint32_t process,
                    const struct endpoint *endpoint, struct tick_flow **ret_row)
{
    uint64_t hash = hash_row(process, endpoint);
    uint32_t row;
    int r;

    while ((row = map_get(index, hash)) != MAP_NONE) {
        if (is_same(&flows->rows[row], process, endpoint)) {
            *ret_row = &flows->rows[row];
            return 0;
        }
        hash++;
    }
    r = VEC_RESERVE(&flows->rows, &flows->capacity, flows->count, 1);
    if (r == 0)
        r = map_set(index, hash, flows->count);
    if (r < 0)
        return r;
    *ret_row = &flows->rows[flows->count];
    **ret_row = (struct tick_flow){.endpoint = *endpoint, .process = process};
    flows->count++;
    return 0;
}

static void add_values(struct tick_flow *row, const uint64_t *values)
{
    for (unsigned int i = 0; i < TICK_VALUES; i++)
        row->values[i] += values[i];
}

static uint64_t bytes_of(const struct tick_flow *row)
{
    return row->values[0] + row->values[1];
}

static bool is_not_told_apart(const struct tick_flow *row)
{
    return memcmp(&row->endpoint, &not_told_apart, sizeof(row->endpoint)) == 0;
}

/* Ordered instead of rows, which are large. */
struct ranked {
    uint64_t bytes; /* 0: it is not told apart */
    uint32_t process, row;
};

/* By process, in as many passes as its numbers have bytes. `room` is for as many. */
static void order_by_process(struct ranked *all, struct ranked *room, uint32_t count)
{
    uint32_t any = 0;

    for (uint32_t i = 0; i < count; i++)
        any |= all[i].process;
    for (unsigned int shift = 0; shift < 32 && any >> shift; shift += 8) {
        uint32_t ends[257] = {0};

        for (uint32_t i = 0; i < count; i++)
            ends[(all[i].process >> shift & 0xff) + 1]++;
        for (unsigned int i = 1; i < ARRAY_SIZE(ends); i++)
            ends[i] += ends[i - 1];
        for (uint32_t i = 0; i < count; i++)
            room[ends[all[i].process >> shift & 0xff]++] = all[i];
        memcpy(all, room, count * sizeof(*all));
    }
}

/* What is not told apart, being all zero, is smaller than all others. */
static bool is_larger(const struct ranked *left, const struct ranked *right,
                      const struct tick_flow *rows)
{
    if (left->bytes != right->bytes)
        return left->bytes > right->bytes;
    return memcmp(&rows[left->row].endpoint, &rows[right->row].endpoint, sizeof(rows->endpoint)) >
           0;
}

/* The `wanted` largest come first, in whatever order (Hoare's selection). */
static void put_largest_first(struct ranked *all, uint32_t count, uint32_t wanted,
                              const struct tick_flow *rows)
{
    int64_t low = 0, high = (int64_t)count - 1;

    while (low < wanted && wanted <= high) {
        const struct ranked pivot = all[low + (high - low) / 2];
        int64_t left = low, right = high;

        while (left <= right) {
            while (is_larger(&all[left], &pivot, rows))
                left++;
            while (is_larger(&pivot, &all[right], rows))
                right--;
            if (left <= right) {
                const struct ranked swapped = all[left];

                all[left++] = all[right];
                all[right--] = swapped;
            }
        }
        if (wanted <= right)
            high = right;
        else
            low = left;
    }
}

/* By process. NULL: there is no memory. */
static struct ranked *rank(const struct tick_flows *flows)
{
    CLEANUP_FREE struct ranked *room = malloc(flows->count * sizeof(*room));
    struct ranked *ranked = malloc(flows->count * sizeof(*ranked));

    if (!room || !ranked) {
        free(ranked);
        return NULL;
    }
    for (uint32_t i = 0; i < flows->count; i++) {
        const struct tick_flow *row = &flows->rows[i];

        ranked[i] = (struct ranked){is_not_told_apart(row) ? 0 : bytes_of(row), row->process, i};
    }
    order_by_process(ranked, room, flows->count);
    return ranked;
}

/* Into `to`, which has room for as many rows. `places` is told where each has gone. */
static uint32_t fold_small(const struct tick_flows *flows, struct ranked *ranked, uint32_t peers,
                           struct tick_flow *to, uint32_t *places)
{
    uint32_t kept = 0, at = 0, end;

    for (; at < flows->count; at = end) {
        struct tick_flow rest = {.process = ranked[at].process};
        uint32_t others;

        for (end = at; end < flows->count && ranked[end].process == rest.process;)
            end++;
        /* What is not told apart comes behind all that is kept, also where there are few. */
        others = end - at - 1;
        put_largest_first(ranked + at, end - at, peers < others ? peers : others, flows->rows);
        for (uint32_t i = at; i < end; i++) {
            const struct tick_flow *row = &flows->rows[ranked[i].row];

            places[ranked[i].row] = kept;
            if (i - at < peers && !is_not_told_apart(row))
                to[kept++] = *row;
            else
                add_values(&rest, row->values);
        }
        if (rest.values[TICK_VALUES - 1])
            to[kept++] = rest;
    }
    return kept;
}

static int fold_rows(const struct snapshot *snapshot, uint32_t peers, struct tick_flows *flows)
{
    CLEANUP_FREE uint32_t *places = calloc(flows->count + 1u, sizeof(*places));
    CLEANUP_FREE struct ranked *ranked = rank(flows);
    struct tick_flow *rows = malloc(flows->count * sizeof(*rows));

    if (!places || !ranked || !rows) {
        free(rows);
        return -ENOMEM;
    }
    flows->capacity = flows->count;
    flows->count = fold_small(flows, ranked, peers, rows, places);
    free(flows->rows);
    flows->rows = rows;
    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        if (flows->row_of_flow[i] != TICK_NO_ROW)
            flows->row_of_flow[i] = places[flows->row_of_flow[i]];
    return 0;
}

static int add_flow(const struct snapshot *snapshot, const struct flow_join *join, uint32_t number,
                    uint32_t process, struct tick_flows *flows, struct map *index)
{
    const struct flow *flow = &snapshot->flows[number];
    const struct wire *wire = &flow->wire_last;
    const uint64_t values[TICK_VALUES] = {flow->window[FLOW_LAST].rx_bytes,
                                          flow->window[FLOW_LAST].tx_bytes,
                                          wire->rx_bytes,
                                          wire->tx_bytes,
                                          wire->rx_packets,
                                          wire->tx_packets,
                                          flow->sockets ? flow->sockets : 1};
    struct endpoint endpoint;
    struct tick_flow *row;
    int r;

    describe(snapshot, join, flow, &endpoint);
    r = find_row(flows, index, process, &endpoint, &row);
    if (r < 0)
        return r;
    add_values(row, values);
    flows->row_of_flow[number] = (uint32_t)(row - flows->rows);
    return 0;
}

/* For as many rows as there may be. */
static int reserve(const struct snapshot *snapshot, const uint32_t *processes,
                   struct tick_flows *flows, struct map *index)
{
    uint32_t count = 0;
    int r;

    flows->row_of_flow = malloc((snapshot->flows_count + 1u) * sizeof(*flows->row_of_flow));
    if (!flows->row_of_flow)
        return -ENOMEM;
    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        count += processes[i] != 0;
    r = VEC_RESERVE(&flows->rows, &flows->capacity, 0, count);
    return r < 0 ? r : map_reserve(index, count);
}

int tick_flows_make(const struct snapshot *snapshot, const struct flow_join *join,
                    const uint32_t *processes, uint32_t peers, struct tick_flows *ret_flows)
{
    CLEANUP(map_done) struct map index = {0};
    struct tick_flows flows = {0};
    int r = reserve(snapshot, processes, &flows, &index);

    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++) {
        flows.row_of_flow[i] = TICK_NO_ROW;
        if (processes[i])
            r = add_flow(snapshot, join, i, processes[i], &flows, &index);
    }
    if (r == 0 && flows.count)
        r = fold_rows(snapshot, peers, &flows);
    if (r < 0) {
        tick_flows_done(&flows);
        return r;
    }
    *ret_flows = flows;
    return 0;
}

void tick_flows_done(struct tick_flows *flows)
{
    free(flows->rows);
    free(flows->row_of_flow);
    *flows = (struct tick_flows){0};
}
