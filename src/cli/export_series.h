/* SPDX-License-Identifier: MIT */
/* Series: numbers of the pieces of a time by metric and labels, kept until all are known. */
#pragma once

#include "base/map.h"
#include "out/openmetrics.h"

/* Zeroed: empty. */
struct export_series {
    struct export_piece {
        uint64_t since_ns, until_ns;
        bool measured;
    } * pieces;
    uint32_t piece_count, piece_capacity;
    struct one_series {
        enum metric metric;
        char *labels;
        struct buf numbers; /* {how many pieces after the one before, number}, LEB128 */
        uint32_t last;      /* 1 + piece of the last one in `numbers`; 0: none */
        uint32_t open;      /* 1 + piece of `number`; 0: none */
        uint64_t number;
    } * items;
    uint32_t count, capacity;
    struct map index; /* hash of metric and labels -> item */
};

void export_series_done(struct export_series *series);

/* What is added from now on is of this piece. 0 or -ENOMEM. */
int export_series_piece(struct export_series *series, uint64_t since_ns, uint64_t until_ns,
                        bool measured) MUST_CHECK;

/* Adds to the number of the piece. 0 or -ENOMEM. */
int export_series_add(struct export_series *series, enum metric metric, const char *labels,
                      uint64_t number) MUST_CHECK;

/* Writes what there is of a metric: counters are added up from 0 at their beginning, and have no
 * sample in pieces that were not measured. */
void export_series_write(struct export_series *series, enum metric metric, struct buf *out);
