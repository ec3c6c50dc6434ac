/* SPDX-License-Identifier: MIT */
/* Flows are given to listeners by their own address, and by who holds both. */
#include "derive/served.h"

#include "derive/listeners.h"

static uint64_t share_of(uint32_t first, uint32_t process)
{
    return (uint64_t)first << 32 | process;
}

/* The listener that each process holds of those that share the place of the first one. */
static int index_shares(const struct snapshot *snapshot, const struct join *join,
                        const struct listeners *listeners, struct map *shares)
{
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        uint32_t first;

        if (socket->state != STATE_LISTENING || socket->proto != PROTO_TCP)
            continue;
        first = listeners_find(snapshot, listeners, socket);
        for (uint32_t k = 0; k < join->sockets[i].holder_count && r == 0; k++) {
            uint64_t share = share_of(first, join_holder(snapshot, join, i, k)->process);

            if (map_get(shares, share) == MAP_NONE)
                r = map_set(shares, share, i);
        }
    }
    return r;
}

static uint32_t find_listener(const struct snapshot *snapshot, const struct listeners *listeners,
                              const struct map *shares, const struct flow *flow)
{
    const struct socket connection = {.netns = flow->netns,
                                      .ifindex = flow->ifindex,
                                      .proto = flow->proto,
                                      .family = flow->family,
                                      .local_port = flow->local_port,
                                      .local = flow->local};
    uint32_t first, own = MAP_NONE;

    if (flow->proto != PROTO_TCP || !flow->local_port)
        return MAP_NONE;
    first = listeners_find(snapshot, listeners, &connection);
    if (first != MAP_NONE && flow->process)
        own = map_get(shares, share_of(first, flow->process - 1));
    return own != MAP_NONE ? own : first;
}

int served_make(const struct snapshot *snapshot, const struct join *join,
                struct flow_sum **ret_sums)
{
    CLEANUP(map_done) struct map shares = {0};
    struct flow_sum *sums = calloc(snapshot->sockets_count + 1u, sizeof(*sums));
    struct listeners listeners;
    int r = sums ? listeners_make(snapshot, &listeners) : -ENOMEM;

    if (r == 0) {
        r = index_shares(snapshot, join, &listeners, &shares);
        for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++) {
            uint32_t at = find_listener(snapshot, &listeners, &shares, &snapshot->flows[i]);

            if (at != MAP_NONE)
                flow_sum_add(&sums[at], &snapshot->flows[i]);
        }
        listeners_done(&listeners);
    }
    if (r < 0)
        free(sums);
    else
        *ret_sums = sums;
    return r;
}
