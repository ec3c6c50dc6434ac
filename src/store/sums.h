/* SPDX-License-Identifier: MIT */
/* Sums: what the rows of one kind add up to over a time, one row for each thing they are about. */
#pragma once

#include "base/map.h"
#include "store/chunk.h"

struct sums {
    enum chunk_kind kind;
    bool with_rates; /* the last measures, too */
    struct map index;
    uint64_t *rows; /* keys without the tick, then measures */
    uint32_t count, capacity;
};

uint32_t sums_width(const struct sums *sums);

static inline uint64_t *sums_row(const struct sums *sums, uint32_t row)
{
    return &sums->rows[(size_t)row * sums_width(sums)];
}

/* Adds what is already summed up: keys and measures. Later ones are of a later time. */
int sums_add(struct sums *sums, const uint64_t *keys, const uint64_t *measures) MUST_CHECK;

/* Adds `count` rows of a chunk from `first` on, which have the same keys. `keys` stand for them. */
int sums_add_rows(struct sums *sums, const uint64_t *keys, const struct chunk *chunk,
                  uint32_t first, uint32_t count) MUST_CHECK;

void sums_done(struct sums *sums);

/* How many rows from `first` on have the same keys. */
uint32_t chunk_run(const struct chunk *chunk, uint32_t first);
