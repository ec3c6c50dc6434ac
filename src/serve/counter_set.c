/* SPDX-License-Identifier: MIT */
/* Counter set: who has room, who is remembered, and what is exported. */
#include "serve/counter_set.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"

#include <stdlib.h>

#define IDLE_NS (3600 * SECOND_NS)

/* Things that are remembered, with those that are shown. */
#define KNOWN_MAX 1000

void counter_set_done(struct counter_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        free(set->items[i].labels);
    free(set->items);
    map_done(&set->index);
    *set = (struct counter_set){.kind = set->kind};
}

void counter_set_tick(struct counter_set *set, uint64_t now_ns)
{
    set->now_ns = now_ns;
    for (uint32_t i = 0; i < set->count; i++) {
        struct counted *item = &set->items[i];

        if (!item->shown || now_ns - item->last_ns < IDLE_NS)
            continue;
        item->shown = false;
        set->shown--;
    }
}

/* The place of the one without room that was not there for longest. */
static struct counted *forget_one(struct counter_set *set)
{
    struct counted *oldest = NULL;

    for (uint32_t i = 0; i < set->count; i++) {
        struct counted *item = &set->items[i];

        if (!item->shown && (!oldest || item->last_ns < oldest->last_ns))
            oldest = item;
    }
    if (oldest) {
        map_remove(&set->index, oldest->hash);
        free(oldest->labels);
    }
    return oldest;
}

static struct counted *find(const struct counter_set *set, const char *labels, uint64_t hash)
{
    uint32_t at = map_get(&set->index, hash);

    return at != MAP_NONE && strcmp(set->items[at].labels, labels) == 0 ? &set->items[at] : NULL;
}

/* NULL: there is no memory, or another one has its hash. */
static struct counted *remember(struct counter_set *set, const char *labels, uint64_t hash)
{
    char *copy = map_get(&set->index, hash) == MAP_NONE ? strdup(labels) : NULL;
    struct counted *item;

    if (!copy || VEC_RESERVE(&set->items, &set->capacity, set->count, 1) < 0 ||
        map_reserve(&set->index, set->count + 1) < 0) {
        free(copy);
        return NULL;
    }
    item = set->count < KNOWN_MAX ? &set->items[set->count++] : forget_one(set);
    if (!item || map_set(&set->index, hash, (uint32_t)(item - set->items)) < 0) {
        free(copy);
        return NULL;
    }
    *item = (struct counted){.labels = copy, .hash = hash};
    return item;
}

static struct counted *take(struct counter_set *set, const char *labels)
{
    uint64_t hash = hash_bytes(HASH_INIT, labels, strlen(labels));
    struct counted *item = find(set, labels, hash);

    if (strcmp(labels, set->kind->others) == 0)
        return &set->others;
    if (!item)
        item = remember(set, labels, hash);
    if (!item)
        return &set->others;
    item->last_ns = set->now_ns;
    if (!item->shown && set->shown < set->kind->shown_max) {
        item->shown = true;
        set->shown++;
    }
    if (item->shown)
        return item;
    set->folded += !item->folded;
    item->folded = true;
    return &set->others;
}

void counter_set_add(struct counter_set *set, const char *labels, unsigned int value,
                     uint64_t amount)
{
    struct counted *item = take(set, labels);

    item->values[value] += amount;
    item->present |= 1ull << value;
}

static void clear(struct counted *item, unsigned int first, unsigned int end)
{
    for (unsigned int value = first; value < end; value++) {
        item->values[value] = 0;
        item->present &= ~(1ull << value);
    }
}

void counter_set_clear(struct counter_set *set, unsigned int first, unsigned int end)
{
    for (uint32_t i = 0; i < set->count; i++)
        clear(&set->items[i], first, end);
    clear(&set->others, first, end);
}

static void write_one(const struct counter_set *set, const struct counted *item, const char *name,
                      enum metric metric, struct buf *out)
{
    CLEANUP(buf_done) struct buf labels = BUF_INIT;

    for (unsigned int value = 0; value < set->kind->values; value++) {
        if (!(item->present & 1ull << value) || set->kind->metric(value) != metric)
            continue;
        buf_reset(&labels);
        buf_puts(&labels, name);
        set->kind->label(value, &labels);
        openmetrics_part(metric, set->kind->part ? set->kind->part(value) : METRIC_WHOLE,
                         buf_string(&labels), item->values[value], out);
        if (labels.error)
            out->error = labels.error;
    }
}

void counter_set_write(const struct counter_set *set, enum metric metric, enum metric_form form,
                       struct buf *out)
{
    openmetrics_family(metric, form, out);
    for (uint32_t i = 0; i < set->count; i++)
        if (set->items[i].shown)
            write_one(set, &set->items[i], set->items[i].labels, metric, out);
    write_one(set, &set->others, set->kind->others, metric, out);
}
