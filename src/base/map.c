/* SPDX-License-Identifier: MIT */
/* Hash map: linear probing, at most 13/16 full. */
#include "base/map.h"

#include <string.h>

void map_done(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

void map_clear(struct map *map)
{
    for (uint32_t i = 0; i < map->capacity; i++)
        map->slots[i].value = MAP_NONE;
    map->count = 0;
}

/* The finalizer of splitmix64: spreads keys that differ in few bits, as inodes and cookies do. */
static uint32_t slot_of(const struct map *map, uint64_t key)
{
    key = (key ^ (key >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ (key >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(key >> 32) & (map->capacity - 1);
}

static uint64_t slot_key(const struct map_slot *slot)
{
    return (uint64_t)slot->key_high << 32 | slot->key_low;
}

static struct map_slot *find(const struct map *map, uint64_t key)
{
    uint32_t at = slot_of(map, key);

    while (map->slots[at].value != MAP_NONE && slot_key(&map->slots[at]) != key)
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

int map_reserve(struct map *map, uint32_t count)
{
    struct map old = *map;
    uint32_t capacity = old.capacity ? old.capacity : 16;

    while (capacity / 16 * 13 < count) {
        if (capacity > UINT32_MAX / 2)
            return -ENOMEM;
        capacity *= 2;
    }
    if (capacity == old.capacity)
        return 0;
    map->slots = malloc(sizeof(*map->slots) * capacity);
    if (!map->slots) {
        map->slots = old.slots;
        return -ENOMEM;
    }
    map->capacity = capacity;
    map_clear(map);
    for (uint32_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value != MAP_NONE)
            *find(map, slot_key(&old.slots[i])) = old.slots[i];
    map->count = old.count;
    free(old.slots);
    return 0;
}

int map_set(struct map *map, uint64_t key, uint32_t value)
{
    struct map_slot *slot;
    int r = map_reserve(map, map->count + 1);

    if (r < 0)
        return r;
    slot = find(map, key);
    if (slot->value == MAP_NONE)
        map->count++;
    *slot = (struct map_slot){
        .key_low = (uint32_t)key, .key_high = (uint32_t)(key >> 32), .value = value};
    return 0;
}

uint32_t map_get(const struct map *map, uint64_t key)
{
    return map->capacity ? find(map, key)->value : MAP_NONE;
}

/*
 * What follows without a gap and does not belong behind the hole is moved into it, so that every
 * key is still found from its own slot on.
 */
void map_remove(struct map *map, uint64_t key)
{
    uint32_t mask = map->capacity - 1, hole, at;

    if (!map->capacity)
        return;
    hole = (uint32_t)(find(map, key) - map->slots);
    if (map->slots[hole].value == MAP_NONE)
        return;
    for (at = (hole + 1) & mask; map->slots[at].value != MAP_NONE; at = (at + 1) & mask)
        if (((at - slot_of(map, slot_key(&map->slots[at]))) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    map->slots[hole].value = MAP_NONE;
    map->count--;
}
