/* SPDX-License-Identifier: MIT */
/* Hash map from a 64-bit key to a 32-bit number (an index into some array); open addressing. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

/* 12 bytes: the key is in halves, so that there is no padding. */
struct map_slot {
    uint32_t key_low, key_high;
    uint32_t value; /* MAP_NONE: the slot is empty */
};

struct map {
    struct map_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void map_done(struct map *map);
void map_clear(struct map *map);

/* Grows so that `count` keys fit without growing again. 0 or -ENOMEM. */
int map_reserve(struct map *map, uint32_t count) MUST_CHECK;

/* Sets key to value (not MAP_NONE). 0 or -ENOMEM. */
int map_set(struct map *map, uint64_t key, uint32_t value) MUST_CHECK;

/* The value of key, or MAP_NONE. */
uint32_t map_get(const struct map *map, uint64_t key);

/* Forgets the key, if it is there. */
void map_remove(struct map *map, uint64_t key);
