/* SPDX-License-Identifier: MIT */
/* Flows are kept here when the kernel's table fills up before somebody reads. */
#include "collect/traffic_counts.h"

#include "base/vec.h"
#include "model/socket.h"

/* Flows that are kept. */
#define KEPT_MAX 262144

struct kept_flow {
    struct traffic_key key;
    struct traffic_flow flow;
};

void traffic_counts_done(struct traffic_counts *counts)
{
    traffic_program_close(&counts->program);
    free(counts->kept);
    *counts = TRAFFIC_COUNTS_INIT;
}

void traffic_sums_add(struct traffic_sums *to, const struct traffic_sums *from)
{
    to->rx_bytes += from->rx_bytes;
    to->tx_bytes += from->tx_bytes;
    to->rx_count += from->rx_count;
    to->tx_count += from->tx_count;
}

static int ignore_word(void *context, const void *record, size_t size)
{
    (void)record;
    (void)size;
    *(bool *)context = true;
    return 0;
}

bool traffic_was_told(struct traffic_program *program)
{
    bool told = false;

    if (program->skeleton && ring_read(&program->notice, ignore_word, &told) == 0 && told)
        __atomic_store_n(&program->state->told, 0, __ATOMIC_RELEASE);
    return told;
}

static int keep(void *context, const struct traffic_key *key, const struct traffic_flow *flow)
{
    struct traffic_counts *counts = context;
    int r;

    if (counts->kept_count == KEPT_MAX) {
        traffic_sums_add(flow->socket.proto == PROTO_TCP ? &counts->no_room.tcp
                                                         : &counts->no_room.rest,
                         &flow->sums);
        return 0;
    }
    r = VEC_RESERVE(&counts->kept, &counts->kept_capacity, counts->kept_count, 1);
    if (r == 0)
        counts->kept[counts->kept_count++] = (struct kept_flow){*key, *flow};
    return r;
}

int traffic_counts_drain(struct traffic_counts *counts)
{
    return traffic_was_told(&counts->program) ? traffic_take_flows(&counts->program, keep, counts)
                                              : 0;
}

int traffic_counts_read(struct traffic_counts *counts, traffic_flow_fn *fn, void *context)
{
    int r = 0;

    traffic_was_told(&counts->program);
    for (uint32_t i = 0; i < counts->kept_count && r == 0; i++)
        r = fn(context, &counts->kept[i].key, &counts->kept[i].flow);
    counts->kept_count = 0;
    return r < 0 ? r : traffic_take_flows(&counts->program, fn, context);
}

/* What the kernel counted more since the last time, and is counted in *reported now. */
static struct traffic_sums sums_since(const struct traffic_sums *now, struct traffic_sums *reported)
{
    struct traffic_sums more = {
        .rx_bytes = __atomic_load_n(&now->rx_bytes, __ATOMIC_RELAXED) - reported->rx_bytes,
        .tx_bytes = __atomic_load_n(&now->tx_bytes, __ATOMIC_RELAXED) - reported->tx_bytes,
        .rx_count = __atomic_load_n(&now->rx_count, __ATOMIC_RELAXED) - reported->rx_count,
        .tx_count = __atomic_load_n(&now->tx_count, __ATOMIC_RELAXED) - reported->tx_count};

    traffic_sums_add(reported, &more);
    return more;
}

struct traffic_other traffic_counts_other(struct traffic_counts *counts)
{
    const struct traffic_other *now = &counts->program.state->other;
    struct traffic_other other = counts->no_room;
    struct traffic_sums tcp = sums_since(&now->tcp, &counts->reported.tcp);
    struct traffic_sums rest = sums_since(&now->rest, &counts->reported.rest);

    traffic_sums_add(&other.tcp, &tcp);
    traffic_sums_add(&other.rest, &rest);
    counts->no_room = (struct traffic_other){0};
    return other;
}
