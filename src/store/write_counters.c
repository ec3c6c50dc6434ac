/* SPDX-License-Identifier: MIT */
/* Write: interfaces and counters, by what they are more than in the last tick. */
#include "store/write.h"

/* Of baselines: counters, and what must be the same for a difference to mean anything. */
#define INTERFACE_WIDTH (LINK_STATS + 1)
#define COUNTER_WIDTH 1

static int begin_tick(const struct baseline *baseline, const struct snapshot *now,
                      struct chunk *chunk)
{
    if (!baseline->boot_ns || now->boot_ns <= baseline->boot_ns)
        return 0;
    return chunk_add_tick(chunk,
                          (struct chunk_tick){.time_ns = now->time_ns,
                                              .length_ns = now->boot_ns - baseline->boot_ns});
}

/* An interface that is new, or was made anew, in a namespace that was measured (*measured) has
 * counted everything in this tick. */
static int add_interface(struct store *store, const struct snapshot *now,
                         const struct interface *interface, uint32_t *measured, struct chunk *chunk)
{
    static const uint64_t nothing[INTERFACE_WIDTH];
    uint64_t values[INTERFACE_WIDTH], *row;
    const uint64_t *before = NULL;
    uint32_t id;
    int r = dictionary_interface(store, now, interface, &id);

    memcpy(values, &interface->stats, sizeof(interface->stats));
    values[LINK_STATS] = interface->ifindex;
    if (r == 0)
        r = baseline_add(&store->interfaces, id, values, &before);
    if (r < 0 || !chunk->tick_count)
        return r;
    if (before)
        *measured = interface->netns;
    if (!before && *measured != interface->netns)
        return 0;
    if (!before || before[LINK_STATS] != interface->ifindex)
        before = nothing;
    row = chunk_add_row(chunk);
    if (!row)
        return -ENOMEM;
    row[INTERFACES_ID] = id;
    for (unsigned int i = 0; i < LINK_STATS; i++)
        row[INTERFACES_STATS + i] = values[i] > before[i] ? values[i] - before[i] : 0;
    if (interface->has & INTERFACE_HAS_SPEED)
        row[INTERFACES_SPEED] = interface->speed_mbit;
    return ring_know(&store->ring,
                     ring_key_of_link(now->netns[interface->netns].inode, interface->ifindex),
                     chunk->row_count - 1);
}

int write_interfaces(struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    uint32_t measured = UINT32_MAX;
    int r;

    store->interfaces.width = INTERFACE_WIDTH;
    r = begin_tick(&store->interfaces, now, chunk);
    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++)
        if (now->interfaces[i].has & INTERFACE_HAS_STATS)
            r = add_interface(store, now, &now->interfaces[i], &measured, chunk);
    if (!store->interfaces.used)
        chunk_clear(chunk);
    return r;
}

static uint64_t counter_difference(const struct counter *counter, uint64_t before)
{
    if (counter->value >= before)
        return counter->value - before;
    return counter->flags & COUNTER_WRAPS ? (uint32_t)(counter->value - before) : 0;
}

static int add_counter(struct store *store, const struct snapshot *now,
                       const struct counter *counter, struct chunk *chunk)
{
    const uint64_t *before = NULL;
    uint64_t *row, value;
    uint32_t id;
    int r = dictionary_counter(store, now, counter, &id);

    if (r == 0)
        r = baseline_add(&store->counters, id, &counter->value, &before);
    if (r < 0 || !chunk->tick_count)
        return r;
    if (!(counter->flags & COUNTER_GAUGE) && !before)
        return 0;
    value = counter->flags & COUNTER_GAUGE ? counter->value : counter_difference(counter, *before);
    if (value == 0 && !(counter->flags & COUNTER_GAUGE))
        return 0;
    row = chunk_add_row(chunk);
    if (!row)
        return -ENOMEM;
    row[COUNTERS_ID] = id;
    row[COUNTERS_VALUE] = value;
    return 0;
}

int write_counters(struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    int r;

    store->counters.width = COUNTER_WIDTH;
    r = begin_tick(&store->counters, now, chunk);
    for (uint32_t i = 0; i < now->counters_count && r == 0; i++)
        r = add_counter(store, now, &now->counters[i], chunk);
    if (!store->counters.used)
        chunk_clear(chunk);
    return r;
}
