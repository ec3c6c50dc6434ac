/* SPDX-License-Identifier: MIT */
/* Counter set: counters of many things, by their labels. Only so many have series of their own;
 * all others are counted together. */
#pragma once

#include "base/map.h"
#include "out/openmetrics.h"

#define COUNTER_SET_VALUES_MAX 56

/* What the things of a set are, and what is counted of each. */
struct counter_set_kind {
    uint32_t shown_max;
    const char *others;  /* labels of those that have no room */
    unsigned int values; /* how many are counted */
    enum metric (*metric)(unsigned int value);
    enum metric_part (*part)(unsigned int value);          /* NULL: each is whole */
    void (*label)(unsigned int value, struct buf *labels); /* what tells them apart */
};

struct counted {
    char *labels;
    uint64_t hash;
    uint64_t last_ns; /* CLOCK_BOOTTIME when it was last there */
    uint64_t values[COUNTER_SET_VALUES_MAX];
    uint64_t present; /* bits of the values that it has */
    bool shown;
    bool folded; /* it had no room, which was counted */
};

/*
 * Who comes first has the room, and keeps it until it was not there for an hour: what was once
 * exported under its own labels never moves to the others, and counters never go back. Who comes
 * again goes on from its total, as long as it is remembered.
 */
struct counter_set {
    const struct counter_set_kind *kind;
    struct counted *items;
    uint32_t count, capacity;
    struct map index; /* hash of the labels -> item */
    struct counted others;
    uint32_t shown;
    uint64_t folded; /* things that had no room */
    uint64_t now_ns;
};

void counter_set_done(struct counter_set *set);

/* Begins a tick: CLOCK_BOOTTIME. Who was not there for long loses its room. */
void counter_set_tick(struct counter_set *set, uint64_t now_ns);

/* Counts; 0 makes the value exist. Without memory it is counted with the others. */
void counter_set_add(struct counter_set *set, const char *labels, unsigned int value,
                     uint64_t amount);

/* What is no counter begins anew: nothing has the values from `first` to before `end`. */
void counter_set_clear(struct counter_set *set, unsigned int first, unsigned int end);

/* The samples of a metric. */
void counter_set_write(const struct counter_set *set, enum metric metric, enum metric_form form,
                       struct buf *out);
