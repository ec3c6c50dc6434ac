/* SPDX-License-Identifier: MIT */
/* What interfaces count from one second to the next, in the namespaces of a reading. */
#pragma once

#include "model/seconds.h"
#include "model/snapshot.h"

/* Opened by link_counts_begin(); all zero: nothing. */
struct link_counts {
    struct snapshot last; /* namespaces, and interfaces with their counters of last time */
    bool begun;           /* there is one */
    bool failed;          /* the kernel does not tell counters alone: it is older than 4.7 */
};

/* From now on all interfaces of the snapshot count from what they had then. 0 or -ENOMEM. */
int link_counts_begin(struct link_counts *counts, const struct snapshot *now) MUST_CHECK;
void link_counts_done(struct link_counts *counts);

/* Adds what they counted since, as one second. Namespaces and interfaces that are gone have
 * nothing. 0 or -ENOMEM. */
int link_counts_take(struct link_counts *counts, struct seconds *seconds) MUST_CHECK;
