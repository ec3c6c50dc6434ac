/* SPDX-License-Identifier: MIT */
/* Meters: counters of the kernel, of which each tick counts the difference since the one before. */
#pragma once

#include "base/map.h"

/* What was read in one tick. */
struct meter_readings {
    struct map index; /* key -> value */
    uint64_t *values;
    uint32_t count, capacity;
};

/* Zeroed: nothing was read yet. */
struct meters {
    struct meter_readings before, now;
};

void meters_done(struct meters *meters);

/* What was read in this tick is now what was before; what was not is forgotten. */
void meters_tick(struct meters *meters);

/* Reads a counter, of which *ret_before is what it was in the last tick. False: it was not read
 * then. */
bool meters_read(struct meters *meters, uint64_t key, uint64_t value, uint64_t *ret_before);
