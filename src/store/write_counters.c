/* SPDX-License-Identifier: MIT */
/* Write: interfaces and counters, by what they are more than in the last tick. */
#include "store/write.h"

/* Of baselines: counters, and what must be the same for a difference to mean anything. */
#define INTERFACE_WIDTH (LINK_STATS + 1)
#define COUNTER_WIDTH 1
#define FILE_WIDTH 1

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
        r = baseline_add(&store->baselines[BASELINE_INTERFACES], id, values, &before);
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
    struct baseline *baseline = &store->baselines[BASELINE_INTERFACES];
    uint32_t measured = UINT32_MAX;
    int r;

    baseline->width = INTERFACE_WIDTH;
    r = begin_tick(baseline, now, chunk);
    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++)
        if (now->interfaces[i].has & INTERFACE_HAS_STATS)
            r = add_interface(store, now, &now->interfaces[i], &measured, chunk);
    if (!baseline->used)
        chunk_clear(chunk);
    return r;
}

static uint64_t counter_difference(const struct counter *counter, uint64_t before)
{
    if (counter->value >= before)
        return counter->value - before;
    return counter->flags & COUNTER_WRAPS ? (uint32_t)(counter->value - before) : 0;
}

/* What counters are read from: a file of a namespace, of which softnet_stat has a line for each
 * CPU. It is read whole or not at all. */
struct counter_file {
    uint32_t netns, cpu;
    uint16_t source;
    bool measured; /* in the tick before, too */
};

static bool is_of_file(const struct counter *counter, const struct counter_file *file)
{
    return counter->netns == file->netns && counter->source == file->source &&
           counter->cpu == file->cpu;
}

static int begin_file(struct store *store, const struct snapshot *now,
                      const struct counter *counter, struct counter_file *ret_file)
{
    const uint64_t *before = NULL;
    uint32_t netns = 0;
    int r = dictionary_netns(store, now, counter->netns, &netns);
    uint64_t key = hash_number(hash_number(HASH_INIT, netns), counter->source);

    if (r == 0)
        r = baseline_add(&store->baselines[BASELINE_COUNTER_FILES], hash_number(key, counter->cpu),
                         &counter->value, &before);
    *ret_file = (struct counter_file){counter->netns, counter->cpu, counter->source, before};
    return r;
}

/* Most counters of most namespaces are 0 for ever: they have no name in the file, and one that has
 * none yet was 0. */
static int add_counter(struct store *store, const struct snapshot *now,
                       const struct counter *counter, bool measured, struct chunk *chunk)
{
    const uint64_t *before = NULL;
    uint64_t *row, value = counter->value;
    uint32_t id;
    int r;

    if (value == 0 && !(counter->flags & (COUNTER_GAUGE | COUNTER_WRAPS)))
        return 0;
    r = dictionary_counter(store, now, counter, &id);
    if (r == 0)
        r = baseline_add(&store->baselines[BASELINE_COUNTERS], id, &value, &before);
    if (r < 0 || !chunk->tick_count)
        return r;
    if (!(counter->flags & COUNTER_GAUGE)) {
        if (!before && !measured)
            return 0;
        value = counter_difference(counter, before ? *before : 0);
        if (value == 0)
            return 0;
    }
    row = chunk_add_row(chunk);
    if (!row)
        return -ENOMEM;
    row[COUNTERS_ID] = id;
    row[COUNTERS_VALUE] = value;
    return 0;
}

int write_counters(struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    struct baseline *baseline = &store->baselines[BASELINE_COUNTERS];
    struct counter_file file = {.source = COUNTER_SOURCE_MAX};
    int r;

    baseline->width = COUNTER_WIDTH;
    store->baselines[BASELINE_COUNTER_FILES].width = FILE_WIDTH;
    r = begin_tick(baseline, now, chunk);
    baseline->used = now->counters_count;
    for (uint32_t i = 0; i < now->counters_count && r == 0; i++) {
        const struct counter *counter = &now->counters[i];

        if (!is_of_file(counter, &file))
            r = begin_file(store, now, counter, &file);
        if (r == 0)
            r = add_counter(store, now, counter, file.measured, chunk);
    }
    if (!baseline->used)
        chunk_clear(chunk);
    return r;
}
