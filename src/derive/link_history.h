/* SPDX-License-Identifier: MIT */
/* What interfaces have done since the first of several readings. Pure. */
#pragma once

#include "derive/rates.h"

/* Bytes/s, of the readings so far. */
struct link_range {
    uint64_t least, most;
};

/* Of one interface. */
struct link_past {
    struct link_stats first; /* its counters when it was first seen */
    uint64_t first_ns;       /* CLOCK_BOOTTIME of that */
    uint32_t rates; /* how many are in the ranges; 0: it was seen once, and nothing is known yet */
    struct link_range rx, tx;
    bool shares_known; /* of all that was counted since then */
    struct interface_shares rx_shares, tx_shares;
};

/* One for each interface of the snapshot that it was made for. NULL: nothing is known. */
struct link_history {
    struct link_past *links; /* owned */
    uint32_t count;
};

/*
 * Goes on from `before` (the history made for the snapshot before, or an empty one) by `rates`,
 * what has happened since then (NULL: nothing is known of it). An interface that is new begins
 * anew, and so does one whose counters went back: nothing is ever added up that it did not count
 * while it was watched. 0 or -ENOMEM.
 */
int link_history_make(const struct snapshot *now, const struct rates *rates,
                      const struct link_history *before, struct link_history *ret_history)
    MUST_CHECK;
void link_history_done(struct link_history *history);

/* NULL: the interface was not seen before, or it has no counters. */
const struct link_past *link_history_past(const struct link_history *history, uint32_t interface);

/* The mean since it was first seen of a counter that was `first` then and is `now`, per second. */
uint64_t link_history_mean(const struct link_past *past, const struct snapshot *now, uint64_t first,
                           uint64_t counter);
