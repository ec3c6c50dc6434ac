/* SPDX-License-Identifier: MIT */
/* Flow table: adds up what a source of traffic reports, by window, and forgets what is long over.
 */
#pragma once

#include "base/cleanup.h"
#include "model/seconds.h"
#include "model/snapshot.h"

/* What one source saw of one flow since it last reported it. */
struct flow_report {
    uint64_t cookie;
    uint64_t cgroup_id;
    struct traffic bytes;
    struct wire wire;
    uint64_t rx_calls, tx_calls;
    uint64_t start_ticks;   /* of the process, as in /proc/PID/stat; 0: unknown */
    uint32_t pid, tid, uid; /* pid as in our /proc */
    uint32_t ppid;          /* 0: unknown */
    uint32_t netns;         /* inode */
    uint32_t ifindex;
    uint32_t flags; /* enum flow_flag: FLOW_SPLICED, FLOW_OTHER, FLOW_PEER */
    uint16_t local_port, peer_port;
    uint8_t proto, family;
    union address local, peer;
    char comm[16]; /* of the thread; raw bytes, ended by NUL when shorter */
};

/* Owns every flow between two readings. */
struct flow_table;

/*
 * More than `limit` flows are only kept of what had traffic in one interval. Beyond it, and a
 * minute after its end, a flow is folded into one flow of its process, and that of a process which
 * has ended into one of its name: the sums stay exact. NULL: no memory.
 */
struct flow_table *flow_table_new(uint32_t limit, uint64_t now_ns);
/* For who looks at the last interval alone, before anything is reported: what has ended is folded
 * when it was told, by flow_table_end_told() or in the next interval, and other windows are not
 * kept. */
void flow_table_tell_once(struct flow_table *table);
void flow_table_free(struct flow_table *table);

/* Forgets all flows: totals and windows begin at `now_ns`. */
void flow_table_begin(struct flow_table *table, uint64_t now_ns);

/* Adds a report that belongs to the time since the last flow_table_advance(). 0 or -ENOMEM. */
int flow_table_report(struct flow_table *table, const struct flow_report *report) MUST_CHECK;

/*
 * Whether reports with FLOW_PEER were added to the socket's own flow: half of the flows may be of
 * peers, and a new one takes the place of one that was silent for a minute.
 */
bool flow_table_joined_peers(const struct flow_table *table);

/*
 * The same of the packets of a socket (only `wire` of what was moved), whose user is not known:
 * they are of the flow with most traffic since the last flow_table_advance(), of several. As long
 * as the socket has none, they make one without a process.
 */
int flow_table_report_wire(struct flow_table *table, const struct flow_report *report) MUST_CHECK;

/* From now on the bytes of reports are also noted there; NULL: nowhere. */
void flow_table_note_seconds(struct flow_table *table, struct seconds *seconds);

/*
 * Bytes that a flow has moved as its socket tells, before a report does: they are shown with what
 * was reported, until the next flow_table_advance(), before which they are to be told anew. Flags:
 * FLOW_SPLICED, for as long. 0 or -ENOMEM.
 */
int flow_table_ahead(struct flow_table *table, const struct flow_report *report) MUST_CHECK;

/* The socket with this cookie was closed, all it did being reported: its flows end. */
void flow_table_close(struct flow_table *table, uint64_t cookie, uint64_t now_ns);

/* From now on the end of a socket may not be told: a minute of silence is one as well. */
void flow_table_miss_ends(struct flow_table *table);

/* The process of this flow has ended, and so has the flow. */
void flow_table_exit(struct flow_table *table, uint64_t id, uint64_t now_ns);

/* The reports so far are those up to `now_ns`: windows move on, old flows are folded. 0, -ENOMEM.
 */
int flow_table_advance(struct flow_table *table, uint64_t now_ns) MUST_CHECK;

/* Writes all flows, not yet linked to processes, and the windows' lengths. 0 or -ENOMEM. */
int flow_table_write(const struct flow_table *table, struct snapshot *snapshot) MUST_CHECK;

/*
 * After flow_table_tell_once(), when all is written and no end will be told of this interval: folds
 * what has ended, so that it is not gone through once more, and what is reported next finds its
 * place in half of the memory. 0 or -ENOMEM.
 */
int flow_table_end_told(struct flow_table *table) MUST_CHECK;
