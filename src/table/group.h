/* SPDX-License-Identifier: MIT */
/* Groups: counts the rows of a grid by the values of some columns; the result is a table again. */
#pragma once

#include "base/arena.h"
#include "table/query.h"

#define GROUP_KEYS_MAX 8

struct group_key {
    const struct column *column;
    uint8_t bits_v4, bits_v6; /* addresses: only so many of the first bits count */
};

struct group_row {
    struct value keys[GROUP_KEYS_MAX]; /* texts and addresses are in the arena */
    uint64_t count;
};

/* What to count by, and the table that the groups make. Not to be moved: the table refers to it. */
struct group_plan {
    struct table table; /* key columns, count, and share */
    struct column columns[GROUP_KEYS_MAX + 2];
    struct group_key keys[GROUP_KEYS_MAX];
    uint32_t key_count;
};

/* The groups of one moment: what view.group points to. Ended by group_done(). */
struct group {
    const struct group_plan *plan;
    struct group_row *rows;
    uint32_t row_count, row_capacity;
    uint64_t total; /* rows counted */
    struct arena arena;
};

/*
 * The keys: "state,process", "peer/24", "peer/24/56". 0; -EINVAL with one line in `error`; -ENOMEM.
 */
int group_plan(const struct table *table, const char *words, struct group_plan *ret_plan,
               struct buf *error) MUST_CHECK;

/* Counts the rows of a grid into a zeroed group. The most frequent come first. 0 or -ENOMEM. */
int group_make(const struct group_plan *plan, const struct grid *grid, struct group *group)
    MUST_CHECK;
void group_done(struct group *group);
