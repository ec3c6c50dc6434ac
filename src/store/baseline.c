/* SPDX-License-Identifier: MIT */
/* Baseline: counters of the last tick, of which those of this one are the difference. */
#include "base/vec.h"
#include "store/write.h"

/* A row: last counters, number of their tick, present counters, number of theirs. */
static uint64_t *row_at(const struct baseline *baseline, uint32_t row)
{
    return &baseline->rows[(size_t)row * 2 * (baseline->width + 1)];
}

static int find_row(struct baseline *baseline, uint32_t id, uint64_t **ret_row)
{
    size_t size = 2 * (baseline->width + 1) * sizeof(*baseline->rows);
    uint32_t row = map_get(&baseline->index, id);
    int r = 0;

    if (row == MAP_NONE) {
        row = baseline->count;
        r = vec_reserve((void **)&baseline->rows, &baseline->capacity, row, 1, size);
        if (r == 0)
            r = map_set(&baseline->index, id, row);
        if (r < 0)
            return r;
        memset(row_at(baseline, baseline->count++), 0, size);
    }
    *ret_row = row_at(baseline, row);
    return 0;
}

int baseline_add(struct baseline *baseline, uint32_t id, const uint64_t *values,
                 const uint64_t **ret_before)
{
    uint64_t *row, *present;
    int r;

    if (!baseline->used) {
        baseline->used = true;
        baseline->tick++;
    }
    r = find_row(baseline, id, &row);
    if (r < 0)
        return r;
    present = row + baseline->width + 1;
    memcpy(present, values, baseline->width * sizeof(*values));
    present[baseline->width] = baseline->tick;
    *ret_before = row[baseline->width] && row[baseline->width] == baseline->kept ? row : NULL;
    return 0;
}

void baseline_keep(struct baseline *baseline, const struct snapshot *now)
{
    size_t half = baseline->width + 1;

    if (!baseline->used)
        return;
    for (uint32_t i = 0; i < baseline->count; i++) {
        uint64_t *row = row_at(baseline, i);

        if (row[half + baseline->width] == baseline->tick)
            memcpy(row, row + half, half * sizeof(*row));
    }
    baseline->kept = baseline->tick;
    baseline->boot_ns = now->boot_ns;
}

void baseline_done(struct baseline *baseline)
{
    map_done(&baseline->index);
    free(baseline->rows);
    *baseline = (struct baseline){.width = baseline->width};
}
