/* SPDX-License-Identifier: MIT */
/* Series: rings in an array, found by a map. */
#include "tui/series.h"

#include "base/vec.h"

#include <string.h>

#define RINGS_MAX 4096

struct series_ring {
    uint64_t identity;
    uint32_t first, last; /* readings */
    uint64_t values[SERIES_LENGTH];
};

void series_done(struct series *series)
{
    free(series->rings);
    map_done(&series->index);
    *series = (struct series){0};
}

void series_tick(struct series *series)
{
    series->now++;
}

/* Keeps the rings that had a value not longer than `age` readings ago. */
static int forget(struct series *series, uint32_t age)
{
    uint32_t kept = 0;
    int r = 0;

    map_clear(&series->index);
    for (uint32_t i = 0; i < series->count && r == 0; i++) {
        if (series->now - series->rings[i].last > age)
            continue;
        series->rings[kept] = series->rings[i];
        r = map_set(&series->index, series->rings[kept].identity, kept);
        kept++;
    }
    series->count = kept;
    return r;
}

void series_keep(struct series *series, uint64_t identity)
{
    uint32_t at = map_get(&series->index, identity);

    map_clear(&series->index);
    series->count = 0;
    if (at == MAP_NONE)
        return;
    series->rings[0] = series->rings[at];
    if (map_set(&series->index, identity, 0) == 0)
        series->count = 1;
}

static int add_ring(struct series *series, uint64_t identity, uint32_t *ret_ring)
{
    int r = 0;

    for (uint32_t age = SERIES_LENGTH; series->count >= RINGS_MAX && age && r == 0; age /= 2)
        r = forget(series, age);
    if (r == 0 && series->count >= RINGS_MAX)
        return -ENOSPC;
    if (r == 0)
        r = VEC_RESERVE(&series->rings, &series->capacity, series->count, 1);
    if (r == 0)
        r = map_set(&series->index, identity, series->count);
    if (r < 0)
        return r;
    series->rings[series->count] =
        (struct series_ring){.identity = identity, .first = series->now, .last = series->now};
    *ret_ring = series->count++;
    return 0;
}

int series_add(struct series *series, uint64_t identity, uint64_t value)
{
    uint32_t at = map_get(&series->index, identity);
    struct series_ring *ring;
    int r = at == MAP_NONE ? add_ring(series, identity, &at) : 0;

    if (r < 0)
        return r == -ENOSPC ? 0 : r;
    ring = &series->rings[at];
    if (series->now - ring->last >= SERIES_LENGTH)
        memset(ring->values, 0, sizeof(ring->values));
    else
        for (uint32_t missing = ring->last + 1; missing < series->now; missing++)
            ring->values[missing % SERIES_LENGTH] = 0;
    ring->values[series->now % SERIES_LENGTH] = value;
    ring->last = series->now;
    return 0;
}

uint32_t series_get(const struct series *series, uint64_t identity,
                    uint64_t ret_values[SERIES_LENGTH])
{
    uint32_t at = map_get(&series->index, identity), count;
    const struct series_ring *ring;

    if (at == MAP_NONE)
        return 0;
    ring = &series->rings[at];
    count = series->now - ring->first + 1;
    if (count > SERIES_LENGTH)
        count = SERIES_LENGTH;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t reading = series->now - (count - 1 - i);

        ret_values[i] = reading <= ring->last ? ring->values[reading % SERIES_LENGTH] : 0;
    }
    return count;
}
