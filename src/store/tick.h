/* SPDX-License-Identifier: MIT */
/* Tick: the flows of a snapshot as rows of processes and endpoints. Pure. */
#pragma once

#include "derive/flow_join.h"
#include "store/dictionaries.h"
#include "store/layout.h"

#define TICK_VALUES (FLOWS_COLUMNS - FLOWS_RX_BYTES)

struct tick_flow {
    uint64_t values[TICK_VALUES]; /* columns from FLOWS_RX_BYTES on */
    struct endpoint endpoint;     /* all zero: those that are not told apart */
    uint32_t process;
};

struct tick_flows {
    struct tick_flow *rows;
    uint32_t count, capacity;
    uint32_t *row_of_flow; /* of the snapshot; TICK_NO_ROW: it had no traffic */
};

#define TICK_NO_ROW UINT32_MAX

/* Whether it sent or received anything since the snapshot before. */
bool tick_has(const struct flow *flow);

/*
 * One row for each process and endpoint that had traffic, at most `peers` of a process: those with
 * most bytes; the others are one row. `processes` has the id of the process of each flow, or 0
 * where it had none. 0 or -ENOMEM.
 */
int tick_flows_make(const struct snapshot *snapshot, const struct flow_join *join,
                    const uint32_t *processes, uint32_t peers, struct tick_flows *ret_flows)
    MUST_CHECK;
void tick_flows_done(struct tick_flows *flows);
