/* SPDX-License-Identifier: MIT */
/* Meters: two ticks of readings. */
#include "serve/meters.h"

#include "base/vec.h"

static void readings_done(struct meter_readings *readings)
{
    map_done(&readings->index);
    free(readings->values);
    *readings = (struct meter_readings){0};
}

void meters_done(struct meters *meters)
{
    readings_done(&meters->before);
    readings_done(&meters->now);
}

void meters_tick(struct meters *meters)
{
    struct meter_readings old = meters->before;

    meters->before = meters->now;
    map_clear(&old.index);
    old.count = 0;
    meters->now = old;
}

bool meters_read(struct meters *meters, uint64_t key, uint64_t value, uint64_t *ret_before)
{
    struct meter_readings *now = &meters->now;
    uint32_t at = map_get(&meters->before.index, key);

    /* Without memory it is as if it had not been read: it begins anew in the next tick. */
    if (VEC_RESERVE(&now->values, &now->capacity, now->count, 1) == 0 &&
        map_set(&now->index, key, now->count) == 0)
        now->values[now->count++] = value;
    if (at == MAP_NONE)
        return false;
    *ret_before = meters->before.values[at];
    return true;
}
