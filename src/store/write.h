/* SPDX-License-Identifier: MIT */
/* Write: what becomes of a tick in the file. */
#pragma once

#include "store/sql.h"

/* Ticks of so long a time are merged into one chunk. */
#define SLOT_NS (600 * SECOND_NS)

/* Each adds what the snapshot has of its kind; nothing when it was not measured. 0 or -errno. */
int write_flows(struct store *store, const struct snapshot *now, struct chunk *chunk) MUST_CHECK;
int write_interfaces(struct store *store, const struct snapshot *now, struct chunk *chunk)
    MUST_CHECK;
int write_counters(struct store *store, const struct snapshot *now, struct chunk *chunk) MUST_CHECK;
int write_states(struct store *store, const struct snapshot *now, struct chunk *chunk) MUST_CHECK;
int write_listeners(struct store *store, const struct snapshot *now, struct chunk *chunk)
    MUST_CHECK;
int write_connections(struct store *store, const struct snapshot *now, struct chunk *chunk)
    MUST_CHECK;

/* Writes which machine this is, where the file does not say so yet. */
int write_host(struct store *store, const struct snapshot *now) MUST_CHECK;

/* Writes a chunk that has ticks; its rows are sorted then. */
int write_chunk(struct store *store, struct chunk *chunk, bool merged) MUST_CHECK;

/* Merges the ticks that are not yet into chunks, and adds them to the tables of sums; in the
 * transaction of the caller. */
int merge_ticks(struct store *store) MUST_CHECK;

/* Merges ticks, then deletes what is too old, or too much. In transactions of its own. */
int retention_apply(struct store *store, const struct snapshot *now) MUST_CHECK;

/* Before anything of a tick is added. */
void baselines_begin(struct store *store);

/*
 * The counters of a thing that this tick has: *ret_before are those of the tick before, NULL when
 * it did not have the thing. They count as the last ones only after baselines_keep(), when the tick
 * is written.
 */
int baseline_add(struct baseline *baseline, uint64_t thing, const uint64_t *values,
                 const uint64_t **ret_before) MUST_CHECK;
void baselines_keep(struct store *store, const struct snapshot *now);
void baselines_done(struct store *store);
