/* SPDX-License-Identifier: MIT */
/* Write: flows. Only endpoints that are kept get a name in the file. */
#include "store/tick.h"
#include "store/write.h"

/* A process has many flows: which id it has is looked up once. */
static int name_processes(struct store *store, const struct snapshot *now, uint32_t *ids)
{
    CLEANUP_FREE uint64_t *known = calloc(now->processes_count + 1u, sizeof(*known));
    int r = known ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < now->flows_count && r == 0; i++) {
        const struct flow *flow = &now->flows[i];
        uint64_t *of_process = &known[flow->process];

        if (!tick_has(flow))
            continue;
        if (flow->process && *of_process >> 32 == flow->netns + 1u) {
            ids[i] = (uint32_t)*of_process;
            continue;
        }
        r = dictionary_process_of_flow(store, now, flow, &ids[i]);
        *of_process = (uint64_t)(flow->netns + 1u) << 32 | ids[i];
    }
    return r;
}

static int add_rows(struct store *store, const struct tick_flows *flows, struct chunk *chunk)
{
    static const struct endpoint not_told_apart;

    for (uint32_t i = 0; i < flows->count; i++) {
        const struct tick_flow *flow = &flows->rows[i];
        uint64_t *row = chunk_add_row(chunk);
        uint32_t endpoint = 0;
        int r = row ? 0 : -ENOMEM;

        if (r == 0 && memcmp(&flow->endpoint, &not_told_apart, sizeof(not_told_apart)) != 0)
            r = dictionary_endpoint(store, &flow->endpoint, &endpoint);
        if (r < 0)
            return r;
        row[FLOWS_PROCESS] = flow->process;
        row[FLOWS_ENDPOINT] = endpoint;
        memcpy(row + FLOWS_RX_BYTES, flow->values, sizeof(flow->values));
    }
    return 0;
}

static int tell_ring(struct ring *ring, const struct snapshot *now, const uint32_t *row_of_flow)
{
    int r = 0;

    for (uint32_t i = 0; ring->seconds && i < now->flows_count && r == 0; i++)
        if (row_of_flow[i] != TICK_NO_ROW)
            r = ring_know(ring, ring_key_of_flow((uint32_t)now->flows[i].id), row_of_flow[i]);
    return r;
}

int write_flows(struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    CLEANUP(tick_flows_done) struct tick_flows flows = {0};
    CLEANUP(flow_join_done) struct flow_join join = {0};
    CLEANUP_FREE uint32_t *processes = NULL;
    int r;

    if (now->accounting < ACCOUNTING_TCP_INFO || !now->window_ns[FLOW_LAST])
        return 0;
    processes = calloc(now->flows_count + 1u, sizeof(*processes));
    r = processes ? name_processes(store, now, processes) : -ENOMEM;
    if (r == 0 && snapshot_knows_sockets(now)) /* who listens decides the direction, if it is known
                                                */
        r = flow_join_make(now, &join);
    if (r == 0)
        r = tick_flows_make(now, &join, processes, store->limits.peers, &flows);
    if (r == 0)
        r = chunk_add_tick(
            chunk, (struct chunk_tick){now->time_ns, now->window_ns[FLOW_LAST], now->accounting});
    if (r == 0)
        r = add_rows(store, &flows, chunk);
    if (r == 0)
        r = tell_ring(&store->ring, now, flows.row_of_flow);
    return r;
}
