/* SPDX-License-Identifier: MIT */
/* Ports that the kernel chooses for sockets which do not choose one themselves. */
#include "derive/port_range.h"

static const struct netns linux_2_2 = {.port_low = 1024, .port_high = 4999};

static const struct netns *range_of(const struct snapshot *snapshot, uint32_t netns)
{
    if (netns < snapshot->netns_count && snapshot->netns[netns].flags & NETNS_HAS_PORT_RANGE)
        return &snapshot->netns[netns];
    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        if (snapshot->netns[i].flags & NETNS_SELF &&
            snapshot->netns[i].flags & NETNS_HAS_PORT_RANGE)
            return &snapshot->netns[i];
    return &linux_2_2;
}

bool port_range_has(const struct snapshot *snapshot, uint32_t netns, uint64_t port)
{
    const struct netns *range = range_of(snapshot, netns);

    return port >= range->port_low && port <= range->port_high;
}
