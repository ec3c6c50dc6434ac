/* SPDX-License-Identifier: MIT */
/* Served: what the connections of each listener sent and received, also those that are over. Pure.
 */
#pragma once

#include "derive/join.h"

/*
 * A sum for each socket of the snapshot, of those that listen; the caller frees it. Each flow is
 * counted once: of listeners that share a place by SO_REUSEPORT at that which the flow's process
 * holds, else at the first. 0 or -ENOMEM. `join` knows the holders.
 */
int served_make(const struct snapshot *snapshot, const struct join *join,
                struct flow_sum **ret_sums) MUST_CHECK;
