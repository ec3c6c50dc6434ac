/* SPDX-License-Identifier: MIT */
/* Store: the past in a file. Snapshots go in, one a tick; sums of any time come out, as a snapshot.
 */
#pragma once

#include "model/seconds.h"
#include "model/snapshot.h"
#include "model/state_count.h"

#include <sys/utsname.h>

struct buf;
struct store;

/* Where the history usually is: that of the machine, else that of the user, who may read the
 * first. False: nowhere, or the path is longer than `size`. */
bool store_usual_path(bool writes, char *path, size_t size);

#define STORE_DEFAULT_BYTES (UINT64_C(512) << 20)
#define STORE_DEFAULT_PEERS 10

/* 0 in any member: the default. */
struct store_limits {
    uint64_t bytes;  /* the file never grows beyond; when it would, each tier loses its oldest */
    uint64_t fine_s; /* how long every tick is kept (2 days) */
    uint64_t minute_s, hour_s; /* and the sums of a minute (14 days), of an hour (400 days) */
    uint32_t peers;  /* of a process that are told apart in a tick; the others are one row */
    uint32_t ring_s; /* seconds before and after an event that are kept one by one: none */
};

/*
 * Opens for writing. Creates the file (mode 0640, not its directory) or brings it to the present
 * schema, takes the writer's lock and checks the file; a broken one is set aside as
 * PATH.broken-TIME, and a new one begun. `problem` is given one line about that, or about what
 * failed. -EBUSY: another process writes, *ret_pid is its pid (0: unknown). -EPROTONOSUPPORT: made
 * by a newer nwho. -EBADMSG: not a store of nwho. -ENOTSUP: built without SQLite.
 */
int store_open(const char *path, const struct store_limits *limits, struct store **ret_store,
               int *ret_pid, struct buf *problem) MUST_CHECK;

/* What to say where the store is missing. */
#define STORE_NONE "this nwho was built without SQLite and zstd, which keep history"

/*
 * Who writes to the file now: 1, its pid (0: unknown) and since when (CLOCK_REALTIME); 0: nobody.
 * -ENOTSUP: built without SQLite; -errno, when that may not be known.
 */
int store_writer(const char *path, int *ret_pid, uint64_t *ret_since_ns) MUST_CHECK;

/* Opens for reading, beside a writer and other readers. On failure `problem` has one line. */
int store_open_to_read(const char *path, struct store **ret_store, struct buf *problem) MUST_CHECK;

/* Opens for store_note() only, beside the writer. */
int store_open_to_note(const char *path, struct store **ret_store, struct buf *problem) MUST_CHECK;

/* NULL: nothing happens. */
void store_close(struct store *store);

#define STORE_EVENTS_MAX 20000

/*
 * Writes one tick, all of it or nothing: traffic of flows since the snapshot before
 * (window[FLOW_LAST]); interfaces and counters, of which the differences to the last tick are taken
 * here; sockets as numbers of each state, and those that listen; events as connections, of which
 * the caller keeps at most STORE_EVENTS_MAX. Facts that the snapshot does not have (no interfaces,
 * no sockets) are not measured in this tick. On failure (-ENOSPC, -EIO, ...) the tick is lost and
 * the store can still be used; when writing works again a note says what is missing. Who is killed
 * loses at most this tick; a power failure takes at most those of the last minute, and never breaks
 * the file.
 *
 * The seconds of the tick, where they are known (or NULL), stay in memory for limits.ring_s, and
 * are written, too, when a note tells of a mark, or of a finding that has begun and is more than
 * only to know; and so are those of as long a time after it. They are parts of the tick, and a
 * question is answered by one of both.
 */
int store_add(struct store *store, const struct snapshot *now, const struct seconds *seconds)
    MUST_CHECK;

/* Whether the seconds of the next tick will be written. */
bool store_wants_seconds(const struct store *store);

/* The memory of seconds, as it was at the last tick of the recorder. */
struct store_ring {
    uint32_t length_s; /* as asked for; 0: there is none */
    uint64_t since_ns; /* of the oldest second; 0: it is empty */
    uint64_t rows, bytes;
    uint64_t flushed_ns; /* when something of it was written last; 0: never */
    char why[128];       /* the note that was the reason, maybe cut; "": never */
};

int store_ring(struct store *store, struct store_ring *ret_ring) MUST_CHECK;

/* The store itself says that recording started and stopped, gaps, clocks that were set, losses. */
enum store_note_kind {
    STORE_STARTED,
    STORE_STOPPED,
    STORE_GAP,   /* nothing was recorded from some time until this one */
    STORE_CLOCK, /* the wall clock was set */
    STORE_LOST,  /* something happened and is not in the store: events, a broken part of the file */
    STORE_FINDING, /* of the doctor */
    STORE_MARK,    /* said by the user */
    STORE_NOTE_KIND_MAX,
};

/* What a failure (-errno) of the store means, in words. */
const char *store_failure(int error);

/* "started", "stopped", "gap", ... */
const char *store_note_kind_name(unsigned int kind);

int store_note(struct store *store, uint64_t time_ns, enum store_note_kind kind, const char *text)
    MUST_CHECK;

enum store_tier {
    STORE_ANY, /* the coarsest whose borders the asked times are on and that tells enough apart */
    STORE_FINE,
    STORE_MINUTE, /* traffic of processes, not of their peers */
    STORE_HOUR,
    STORE_TIER_MAX,
};

enum store_part {
    STORE_PROCESSES = 1u << 0,   /* flows[]: one for each process and namespace */
    STORE_PEERS = 1u << 1,       /* flows[]: for each peer of it, too */
    STORE_INTERFACES = 1u << 2,  /* interfaces[]: stats are what was counted in the time */
    STORE_COUNTERS = 1u << 3,    /* counters[]: likewise; of a gauge the last value */
    STORE_STATES = 1u << 4,      /* states[] */
    STORE_LISTENERS = 1u << 5,   /* sockets[] and holders[]: who listened last */
    STORE_CONNECTIONS = 1u << 6, /* events[] */
    STORE_NOTES = 1u << 7,       /* notes[] */
};

struct store_question {
    uint64_t since_ns, until_ns; /* CLOCK_REALTIME: ticks that ended after since, up to until */
    uint64_t every_ns;           /* one answer for each such piece, from since on; 0: one for all */
    enum store_tier tier;
    unsigned int parts; /* enum store_part */
    bool only_measured; /* pieces that nothing is known of have no answer */
};

struct store_note {
    uint64_t time_ns; /* CLOCK_REALTIME */
    uint32_t kind;    /* enum store_note_kind */
    uint32_t text;    /* string of the snapshot */
};

/*
 * What is known of a time. In the snapshot all times, also those of CLOCK_BOOTTIME, are of
 * CLOCK_REALTIME: boot_ns is time_ns is the end of the time. A flow has no cookie; its total and
 * all windows are the sum, and window_ns[] is how long was really measured (0: nothing was), so
 * that a rate is what it always is. Of an incoming flow the own port is known, of another the
 * peer's. FLOW_FOLDED has the peers that were not told apart. processes[] are identities: program,
 * user, cgroup, namespace; the pid is that of the last one that was seen. snapshot.notes say what
 * could not be read.
 */
struct store_answer {
    uint64_t since_ns, until_ns;
    uint64_t measured_ns;           /* of flows */
    uint64_t interface_measured_ns; /* of interfaces and counters */
    uint64_t last_ns;               /* when the last tick ended, or sum of a coarse tier */
    uint64_t coarsest_ns;           /* the longest time that one reading of it was about */
    enum store_tier tier;           /* that was read, besides the newest ticks */
    struct snapshot snapshot;
    struct state_count *states;
    uint32_t state_count, state_capacity;
    struct store_note *notes;
    uint32_t note_count, note_capacity;
};

/*
 * Answers by calling `take` for each piece of the time in order, one pass over the file for all of
 * them. What it returns other than 0 ends the reading and is returned. It may keep the answer:
 * store_answer_take() moves it.
 */
int store_read(struct store *store, const struct store_question *question,
               int (*take)(struct store_answer *answer, void *context), void *context) MUST_CHECK;

/* How many parts of the file could not be read until now, as the answers' snapshots say: those who
 * show no notes ask for it. */
uint32_t store_broken_parts(const struct store *store);

/* Moves the answer to *ret_answer, which the caller ends by store_answer_done(). */
void store_answer_take(struct store_answer *answer, struct store_answer *ret_answer);
void store_answer_done(struct store_answer *answer);

/* What the store covers. */
struct store_extent {
    uint64_t since_ns[STORE_TIER_MAX]; /* first of each tier; 0: it has nothing. STORE_ANY: of all
                                        */
    uint64_t until_ns;                 /* last tick; 0: none */
    uint64_t bytes;                    /* of the file */
};

int store_extent(struct store *store, struct store_extent *ret_extent) MUST_CHECK;

/* Whether a tier begins before the time, or with the oldest of all. */
bool store_reaches(const struct store_extent *extent, enum store_tier tier, uint64_t since_ns);

/* The machine that was recorded at the time; of older files: this one. */
struct store_host {
    struct utsname machine;
    uint32_t cpus;
    uint32_t netns; /* id in the file: where the recorder was; 0: not known */
};

int store_host(struct store *store, uint64_t time_ns, struct store_host *ret_host) MUST_CHECK;
