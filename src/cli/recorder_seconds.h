/* SPDX-License-Identifier: MIT */
/* The recorder between two ticks: what is counted in each second, as cheaply as that can be known.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

struct accounting;
struct recorder_seconds;
struct seconds;
struct snapshot;

/* The accounting is borrowed. NULL: no memory. */
struct recorder_seconds *recorder_seconds_new(struct accounting *accounting);
void recorder_seconds_free(struct recorder_seconds *seconds);

/* A tick was read: seconds are parts of the next one now. 0 or -ENOMEM. */
int recorder_seconds_begin(struct recorder_seconds *seconds, const struct snapshot *now) MUST_CHECK;

/* The second is over. `whatever_it_costs`: also what would rest, so as not to take too much of a
 * processor. 0 or -ENOMEM. */
int recorder_seconds_take(struct recorder_seconds *seconds, bool whatever_it_costs) MUST_CHECK;

/* Those of the running tick. */
const struct seconds *recorder_seconds_taken(const struct recorder_seconds *seconds);
