/* SPDX-License-Identifier: MIT */
/* Sums: rows of the same keys become one, each column in its way. */
#include "store/sums.h"

#include "base/hash.h"
#include "base/rate.h"
#include "base/vec.h"

#include <string.h>

static uint32_t measures_of(const struct sums *sums)
{
    const struct layout *layout = &layouts[sums->kind];

    return layout->measure_count - (sums->with_rates ? 0u : layout->rate_count);
}

uint32_t sums_width(const struct sums *sums)
{
    return key_count(sums->kind) + measures_of(sums);
}

void sums_done(struct sums *sums)
{
    map_done(&sums->index);
    free(sums->rows);
    *sums = (struct sums){.kind = sums->kind, .with_rates = sums->with_rates};
}

/* The row of these keys, or one behind the last, which is then new. */
static int find_row(struct sums *sums, const uint64_t *keys, uint32_t *ret_row)
{
    uint32_t count = key_count(sums->kind), row;
    uint64_t hash = HASH_INIT;
    int r;

    for (uint32_t i = 0; i < count; i++)
        hash = hash_number(hash ^ hash >> 29, keys[i]);
    while ((row = map_get(&sums->index, hash)) != MAP_NONE) {
        if (memcmp(sums_row(sums, row), keys, count * sizeof(*keys)) == 0) {
            *ret_row = row;
            return 0;
        }
        hash++; /* other keys with the same hash */
    }
    r = vec_reserve((void **)&sums->rows, &sums->capacity, sums->count, 1,
                    sums_width(sums) * sizeof(*sums->rows));
    if (r == 0)
        r = map_set(&sums->index, hash, sums->count);
    if (r == 0)
        *ret_row = sums->count;
    return r;
}

static void combine(enum measure_op op, uint64_t *to, uint64_t value)
{
    switch (op) {
    case MEASURE_SUM:
    case MEASURE_TICKS:
        *to += value;
        break;
    case MEASURE_LAST:
        *to = value;
        break;
    case MEASURE_MIN:
    case MEASURE_MIN_RATE:
        if (value < *to)
            *to = value;
        break;
    case MEASURE_MAX:
    case MEASURE_MAX_RATE:
        if (value > *to)
            *to = value;
        break;
    }
}

int sums_add(struct sums *sums, const uint64_t *keys, const uint64_t *measures)
{
    uint32_t key_columns = key_count(sums->kind), count = measures_of(sums), row = 0;
    uint64_t *to;
    int r = find_row(sums, keys, &row);

    if (r < 0)
        return r;
    to = sums_row(sums, row);
    if (row == sums->count) {
        sums->count++;
        memcpy(to, keys, key_columns * sizeof(*to));
        memcpy(to + key_columns, measures, count * sizeof(*to));
        return 0;
    }
    to += key_columns;
    for (uint32_t i = 0; i < count; i++)
        combine(layouts[sums->kind].measures[i].op, &to[i], measures[i]);
    return 0;
}

/* The rows of a run, of one column. */
struct run {
    const struct chunk *chunk;
    const uint64_t *first;
    uint32_t count, width;
};

static uint64_t sum_up(const struct run *run, uint32_t column)
{
    const uint64_t *value = run->first + column;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < run->count; i++, value += run->width)
        sum += *value;
    return sum;
}

static uint64_t find_extreme(const struct run *run, uint32_t column, enum measure_op op)
{
    bool rates = op == MEASURE_MIN_RATE || op == MEASURE_MAX_RATE;
    uint32_t tick = tick_column(run->chunk->kind);
    const uint64_t *row = run->first;
    uint64_t extreme = 0;

    for (uint32_t i = 0; i < run->count; i++, row += run->width) {
        uint64_t value = row[column];

        if (rates)
            value = per_second(value, run->chunk->ticks[row[tick]].length_ns, 0);
        if (i == 0)
            extreme = value;
        else
            combine(op, &extreme, value);
    }
    return extreme;
}

static uint64_t measure(const struct run *run, const struct measure *measure)
{
    switch ((enum measure_op)measure->op) {
    case MEASURE_SUM:
        return sum_up(run, measure->column);
    case MEASURE_TICKS:
        return run->count;
    case MEASURE_LAST:
        return run->first[(size_t)(run->count - 1) * run->width + measure->column];
    case MEASURE_MIN:
    case MEASURE_MAX:
    case MEASURE_MIN_RATE:
    case MEASURE_MAX_RATE:
        break;
    }
    return find_extreme(run, measure->column, measure->op);
}

int sums_add_rows(struct sums *sums, const uint64_t *keys, const struct chunk *chunk,
                  uint32_t first, uint32_t count)
{
    struct run run = {chunk, chunk_row(chunk, first), count, layouts[chunk->kind].width};
    uint64_t measures[MEASURES_MAX];

    for (uint32_t i = 0; i < measures_of(sums); i++)
        measures[i] = measure(&run, &layouts[sums->kind].measures[i]);
    return sums_add(sums, keys, measures);
}

uint32_t chunk_run(const struct chunk *chunk, uint32_t first)
{
    uint32_t end = first + 1;

    while (end < chunk->row_count && chunk_same_keys(chunk, first, end))
        end++;
    return end - first;
}
