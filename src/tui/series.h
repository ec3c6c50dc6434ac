/* SPDX-License-Identifier: MIT */
/* Series: for each row, known by its identity, what its last 60 values were. */
#pragma once

#include "base/map.h"

#include <stdint.h>

#define SERIES_LENGTH 60

struct series_ring;

/* Zeroed: empty. Bounded: what has had no value for the longest time gives way. */
struct series {
    struct series_ring *rings;
    uint32_t count, capacity;
    struct map index; /* identity -> ring */
    uint32_t now;     /* number of the reading */
};

void series_done(struct series *series);

/* The next reading begins. */
void series_tick(struct series *series);

/* Forgets all but one, which there may be none of. */
void series_keep(struct series *series, uint64_t identity);

/* The value of this reading. 0 or -ENOMEM. */
int series_add(struct series *series, uint64_t identity, uint64_t value) MUST_CHECK;

/* The values up to now, the oldest first; a reading without one is 0. How many: as many readings as
 * there were since its first value, SERIES_LENGTH at most. */
uint32_t series_get(const struct series *series, uint64_t identity,
                    uint64_t ret_values[SERIES_LENGTH]);
