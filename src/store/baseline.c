/* SPDX-License-Identifier: MIT */
/* Baseline: counters of the last tick, of which those of this one are the difference. */
#include "base/vec.h"
#include "store/write.h"

static void set_clear(struct counter_set *set)
{
    map_clear(&set->index);
    set->count = 0;
}

static void set_done(struct counter_set *set)
{
    map_done(&set->index);
    free(set->rows);
    *set = (struct counter_set){0};
}

void baselines_begin(struct store *store)
{
    for (unsigned int i = 0; i < BASELINE_MAX; i++) {
        store->baselines[i].used = false;
        set_clear(&store->baselines[i].present);
    }
}

int baseline_add(struct baseline *baseline, uint64_t thing, const uint64_t *values,
                 const uint64_t **ret_before)
{
    size_t size = baseline->width * sizeof(*values);
    struct counter_set *present = &baseline->present;
    uint32_t last = map_get(&baseline->last.index, thing);
    int r = vec_reserve((void **)&present->rows, &present->capacity, present->count, 1, size);

    if (r == 0)
        r = map_set(&present->index, thing, present->count);
    if (r < 0)
        return r;
    memcpy(&present->rows[(size_t)present->count++ * baseline->width], values, size);
    baseline->used = true;
    *ret_before = last == MAP_NONE ? NULL : &baseline->last.rows[(size_t)last * baseline->width];
    return 0;
}

void baselines_keep(struct store *store, const struct snapshot *now)
{
    for (unsigned int i = 0; i < BASELINE_MAX; i++) {
        struct baseline *baseline = &store->baselines[i];
        struct counter_set last = baseline->last;

        if (!baseline->used)
            continue;
        baseline->last = baseline->present;
        baseline->present = last;
        baseline->boot_ns = now->boot_ns;
    }
}

void baselines_done(struct store *store)
{
    for (unsigned int i = 0; i < BASELINE_MAX; i++) {
        set_done(&store->baselines[i].last);
        set_done(&store->baselines[i].present);
        store->baselines[i] = (struct baseline){.width = store->baselines[i].width};
    }
}
