/* SPDX-License-Identifier: MIT */
/* What counters have counted between two snapshots. */
#include "derive/rates_counters.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/rate.h"

uint64_t counter_key(const char *name, size_t length, uint32_t netns_inode, uint32_t cpu)
{
    uint64_t hash = hash_bytes(HASH_INIT, name, length);

    hash = hash_number(hash, netns_inode);
    hash = hash_number(hash, cpu);
    return hash ? hash : 1;
}

uint64_t counter_identity(const struct snapshot *snapshot, const struct counter *counter)
{
    size_t length;
    const char *name = snapshot_string(snapshot, counter->name, &length);

    return counter_key(name, length, snapshot->netns[counter->netns].inode, counter->cpu);
}

/* That of a gauge that fell is below 0. */
static int64_t int64_of(double number)
{
    uint64_t size = uint64_of(number < 0 ? -number : number);
    int64_t most = size < INT64_MAX ? (int64_t)size : INT64_MAX;

    return number < 0 ? -most : most;
}

static struct counter_rate rate_between(const struct counter *now, const struct counter *before,
                                        uint64_t elapsed_ns)
{
    struct counter_rate rate = {.delta = (int64_t)(now->value - before->value)};
    double second;

    if (now->flags & COUNTER_WRAPS)
        rate.delta = (int64_t)(uint32_t)(now->value - before->value);
    rate.known = rate.delta >= 0 || now->flags & COUNTER_GAUGE;
    second = (double)rate.delta * 1e9 / (double)elapsed_ns;
    rate.rate = int64_of(second < 0 ? second - 0.5 : second + 0.5);
    return rate;
}

int rates_of_counters(const struct snapshot *now, const struct snapshot *before,
                      struct rates *ret_rates)
{
    CLEANUP(map_done) struct map index = {0};
    struct counter_rate *rates = calloc(now->counters_count + 1u, sizeof(*rates));
    int r = rates ? map_reserve(&index, before->counters_count) : -ENOMEM;

    for (uint32_t i = 0; i < before->counters_count && r == 0; i++)
        r = map_set(&index, counter_identity(before, &before->counters[i]), i);
    if (r < 0) {
        free(rates);
        return r;
    }
    for (uint32_t i = 0; i < now->counters_count; i++) {
        uint32_t old = map_get(&index, counter_identity(now, &now->counters[i]));

        if (old != MAP_NONE)
            rates[i] = rate_between(&now->counters[i], &before->counters[old],
                                    now->boot_ns - before->boot_ns);
    }
    ret_rates->counters = rates;
    return 0;
}
