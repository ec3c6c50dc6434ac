/* SPDX-License-Identifier: MIT */
/* Bins: bytes by time, for windows that end now. Pure. */
#pragma once

#include "model/flow.h"

#include <stdint.h>

/* A window of 10 s takes the bin that is being filled and ten full ones; one of 60 s six of them.
 */
#define BINS_MAX 11

/* The times of a ring of bins, which all flows share. A bin is at least `span_ns` long, and longer
 * where readings are further apart. */
struct bin_clock {
    uint64_t span_ns;
    uint64_t length_ns[BINS_MAX]; /* of the bins, by step % BINS_MAX */
    uint32_t step;                /* number of the bin that is being filled */
};

/* The first step has a whole ring of empty ones behind it. */
#define BIN_CLOCK_INIT(span) ((struct bin_clock){.span_ns = (span), .step = BINS_MAX})

/* The bins of one flow. Those after `step` are empty. */
struct bins {
    struct traffic bytes[BINS_MAX]; /* by step % BINS_MAX */
    uint32_t step;
};

/* Adds to the bin that is being filled. */
void bins_add(struct bins *bins, const struct bin_clock *clock, struct traffic bytes);

/* Adds each bin of `other` to the same one of `bins`. */
void bins_merge(struct bins *bins, const struct bin_clock *clock, const struct bins *other);

/* `elapsed_ns` have gone by, with all bytes added that belong to them. */
void bin_clock_advance(struct bin_clock *clock, uint64_t elapsed_ns);

/* The newest bins, which make a window that ends now. */
struct bin_window {
    uint32_t count;
    uint64_t length_ns; /* shorter than it is called at the beginning */
};

/* The window that is called `window_ns`. */
struct bin_window bin_clock_window(const struct bin_clock *clock, uint64_t window_ns);

/* The bytes in it. */
struct traffic bins_window(const struct bins *bins, const struct bin_clock *clock,
                           const struct bin_window *window);
