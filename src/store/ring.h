/* SPDX-License-Identifier: MIT */
/* Ring: the seconds of the last ticks in memory, which are written when something happens. */
#pragma once

#include "base/map.h"
#include "model/seconds.h"
#include "store/chunk.h"

struct snapshot;
struct store;

/* What one tick had of a kind, second by second, as bytes of a chunk. */
struct ring_piece {
    uint64_t tick_ns, since_ns; /* times of the tick, and of the first second */
    enum chunk_kind kind;
    uint32_t rows;
    char *data; /* owned */
    uint32_t length;
    bool written;
};

/* All zero: there is none. */
struct ring {
    uint64_t length_ns;            /* 0: nothing is kept */
    const struct seconds *seconds; /* of the running tick, borrowed; NULL: they are not known */
    struct map rows;               /* what counts, by its key -> row of the chunk of its kind */
    struct ring_piece *pieces;     /* oldest first */
    uint32_t count, capacity;
    int64_t last_note;           /* id of the last one that was looked at */
    uint64_t since_ns, until_ns; /* ticks of this time are written */
    uint64_t flushed_ns;
    char why[128];
};

static inline uint64_t ring_key_of_flow(uint32_t low_id)
{
    return low_id;
}

static inline uint64_t ring_key_of_link(uint32_t netns_inode, uint32_t ifindex)
{
    return (uint64_t)netns_inode << 32 | ifindex;
}

/* The ring of a store that was opened for writing. */
int ring_begin(struct store *store) MUST_CHECK;
void ring_empty(struct ring *ring);
void ring_done(struct ring *ring);

/* In the running tick what has this key is in this row. 0 or -ENOMEM. */
int ring_know(struct ring *ring, uint64_t key, uint32_t row) MUST_CHECK;

/* Keeps the rows of a tick cut into its seconds, if they are known. 0 or -ENOMEM. */
int ring_cut(struct store *store, const struct snapshot *now, const struct chunk *tick) MUST_CHECK;

/* In the transaction of a tick: writes what an event has made worth it, and forgets what is too
 * old. On failure the ring is to be emptied. */
int ring_write(struct store *store, const struct snapshot *now) MUST_CHECK;

/*
 * The time that a reading is of. Whoever wakes up at the second does so a little later; more than a
 * tenth of a second is no longer that one.
 */
#define ON_TIME_NS UINT64_C(100000000)

static inline uint64_t on_time(uint64_t time_ns)
{
    uint64_t late_ns = time_ns % UINT64_C(1000000000);

    return late_ns <= ON_TIME_NS ? time_ns - late_ns : time_ns;
}
