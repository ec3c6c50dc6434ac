/* SPDX-License-Identifier: MIT */
/* Counts things by a key. */
#include "derive/health/tally.h"

#include "base/vec.h"

#include <stdlib.h>

int tally_add(struct tally *tally, uint64_t key, uint64_t amount, uint32_t example)
{
    uint32_t at = map_get(&tally->index, key);
    struct tally_item *item;

    if (at == MAP_NONE) {
        if (VEC_RESERVE(&tally->items, &tally->capacity, tally->count, 1) < 0 ||
            map_set(&tally->index, key, tally->count) < 0)
            return -ENOMEM;
        at = tally->count++;
        tally->items[at] = (struct tally_item){.key = key, .example = example};
    }
    item = &tally->items[at];
    item->count++;
    item->sum += amount;
    if (amount > item->largest) {
        item->largest = amount;
        item->example = example;
    }
    return 0;
}

static int compare_counts(const void *a, const void *b)
{
    const struct tally_item *x = a, *y = b;

    return (x->count < y->count) - (x->count > y->count);
}

uint32_t tally_worst(struct tally *tally)
{
    if (tally->count > 1)
        qsort(tally->items, tally->count, sizeof(*tally->items), compare_counts);
    return tally->count < FINDINGS_OF_CHECK ? tally->count : FINDINGS_OF_CHECK;
}

int tally_say_worst(struct tally *tally, tally_say_fn *say, struct examination *examination)
{
    uint32_t count = tally_worst(tally);
    int r = 0;

    for (uint32_t i = 0; i < count && r == 0; i++)
        r = say(examination, &tally->items[i]);
    return r;
}

void tally_done(struct tally *tally)
{
    map_done(&tally->index);
    free(tally->items);
    *tally = (struct tally){0};
}
