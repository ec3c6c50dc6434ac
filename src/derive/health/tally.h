/* SPDX-License-Identifier: MIT */
/* Tally: counts things by a key, for checks that look who has too many of something. */
#pragma once

#include "base/map.h"

/* More would bury the rest. */
#define FINDINGS_OF_CHECK 10

struct tally_item {
    uint64_t key;
    uint64_t sum, largest; /* of the amounts that were added */
    uint32_t count;
    uint32_t example; /* what the largest amount was added with */
};

struct tally {
    struct map index; /* key -> index into items */
    struct tally_item *items;
    uint32_t count, capacity;
};

/* 0 or -ENOMEM. */
int tally_add(struct tally *tally, uint64_t key, uint64_t amount, uint32_t example) MUST_CHECK;

/* How many of the items a check looks at: FINDINGS_OF_CHECK at most, those that were added most
 * often, which are put in front. Keys are not found any more afterwards. */
uint32_t tally_worst(struct tally *tally);

struct examination;

/* What a check says of one item. 0 or -ENOMEM. */
typedef int tally_say_fn(struct examination *examination, const struct tally_item *item);

/* Has it said of each of these. 0, or what `say` returned. */
int tally_say_worst(struct tally *tally, tally_say_fn *say, struct examination *examination)
    MUST_CHECK;

void tally_done(struct tally *tally);
