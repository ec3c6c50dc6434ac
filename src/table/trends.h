/* SPDX-License-Identifier: MIT */
/* Trends: what each row was in equal pieces of the time that it is about. */
#pragma once

#include "base/map.h"
#include "table/table.h"

/* Zeroed: empty, once it has a number of pieces. */
struct trends {
    uint32_t pieces;
    bool utf8;          /* graphs may have blocks */
    struct map index;   /* identity -> row of `values` */
    uint64_t *values;   /* `pieces` for each row */
    uint64_t *measured; /* of each piece, ns; NULL: all of each was */
    uint32_t count, capacity;
    uint64_t (*identity)(const struct view *view, uint32_t row); /* of the rows */
};

void trends_done(struct trends *trends);

/* In this piece. 0 or -ENOMEM. */
int trends_add(struct trends *trends, uint64_t identity, uint32_t piece, uint64_t value) MUST_CHECK;

/* How much of the piece was measured: rates are drawn, and what is unknown as such. 0 or -ENOMEM.
 */
int trends_measured(struct trends *trends, uint32_t piece, uint64_t ns) MUST_CHECK;

/* All `pieces` of one row; NULL: it had nothing in any. */
const uint64_t *trends_get(const struct trends *trends, uint64_t identity);

/* The same as a graph of characters. Of rows whose table has an identity, where view.trends is. */
extern const struct column column_trend;
