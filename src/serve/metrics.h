/* SPDX-License-Identifier: MIT */
/* Metrics: what /metrics says, taken from the snapshots of the recorder, so that a scrape reads
 * nothing of the machine. */
#pragma once

#include "base/buf.h"
#include "derive/health/finding.h"
#include "model/held_count.h"
#include "model/snapshot.h"
#include "out/openmetrics.h"

/* What the recorder does in each tick. */
enum metrics_part {
    METRICS_SNAPSHOT,
    METRICS_STORE,
    METRICS_DOCTOR,
    METRICS_PART_MAX,
};

/* Findings of a check, by severity. */
struct finding_counts {
    uint32_t of[SEVERITY_MAX];
};

/* What it knows of itself. */
struct metrics_recorder {
    struct {
        uint64_t duration_ns; /* of the last time */
        bool ran, success;
    } parts[METRICS_PART_MAX];
    uint64_t conntrack_entries, conntrack_limit; /* limit 0: nothing is tracked */
    uint64_t history_bytes;
    uint64_t dropped;                      /* ticks that could not be written */
    uint64_t events_lost;                  /* that came too fast to be taken */
    const struct finding_counts *findings; /* now, for each of checks[]; NULL: nobody looked */
};

struct metrics;

/* Counters begin at zero now. NULL: there is no memory. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* Events of the running tick that there is no room for in its snapshot, of which they have strings:
 * they count all the same. */
void metrics_take_surplus(struct metrics *metrics, const struct event *events, uint32_t count);

/* Counts a tick: the traffic of FLOW_LAST, events, and what counters of the kernel are more than in
 * the tick before. `held`: sockets of processes; NULL: those of before are true enough. 0 or
 * -ENOMEM, when gauges may lack something, and counters what a surplus of events was. */
int metrics_take(struct metrics *metrics, const struct snapshot *snapshot,
                 const struct held_counts *held) MUST_CHECK;

/* All that was counted so far. */
void metrics_write(const struct metrics *metrics, const struct metrics_recorder *recorder,
                   enum metric_form form, struct buf *out);
