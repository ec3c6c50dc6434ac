/* SPDX-License-Identifier: MIT */
/* Flow entries: the flows of a flow table in one array, found by what they are and by socket. */
#pragma once

#include "base/cleanup.h"
#include "base/map.h"
#include "collect/flow_bins.h"
#include "collect/flow_table.h"

struct flow_entry {
    struct flow_report facts; /* bytes, calls and packets: not yet counted */
    struct traffic total;
    struct traffic ahead; /* told of this interval; not part of the total */
    struct traffic shown; /* total and ahead, as they were at the last advance */
    struct traffic last;  /* what was shown more than before */
    struct wire wire, wire_last;
    uint64_t id, first_ns, last_ns;
    uint64_t ended_ns; /* 0: it may go on */
    uint64_t rx_calls, tx_calls;
    uint32_t sockets;
    uint32_t ahead_flags, shown_flags; /* as of the bytes */
    uint32_t next;                     /* index of another one of the same socket, or MAP_NONE */
};

/* Of an entry, for its windows: as large as all the rest of it. */
struct flow_history {
    struct bins seconds, tens;
};

/* All zero: none. A pointer to an entry is good until one is added or removed. */
struct flow_entries {
    struct flow_entry *all;         /* in the order of their ids */
    struct flow_history *histories; /* of the same indexes; NULL: `no_history`, or no entry */
    uint32_t count, capacity, histories_capacity;
    struct map by_key;    /* hash of cookie, pid, tid and name -> index */
    struct map by_cookie; /* -> index of the socket's newest entry, the head of its chain */
    uint64_t last_id;
    bool no_history; /* nobody asks for windows. To be set while there are no entries */
};

void flow_entries_done(struct flow_entries *entries);
void flow_entries_clear(struct flow_entries *entries);

/* The flow that the report is of: if there is none yet, a new one that nothing is counted of, and
 * which began at `now_ns`. 0 or -ENOMEM. */
int flow_entries_take(struct flow_entries *entries, const struct flow_report *report,
                      uint64_t now_ns, struct flow_entry **ret_entry) MUST_CHECK;

/* NULL, as of the next one: there is none. */
struct flow_entry *flow_entries_find(const struct flow_entries *entries,
                                     const struct flow_report *report);
struct flow_entry *flow_entries_by_id(const struct flow_entries *entries, uint64_t id);

/* The flows of a socket, one after the other, up to NULL. */
struct flow_entry *flow_entries_of_socket(const struct flow_entries *entries, uint64_t cookie);
struct flow_entry *flow_entries_next(const struct flow_entries *entries,
                                     const struct flow_entry *entry);

/* Of an entry of these; NULL: none is kept. */
struct flow_history *flow_entries_history(const struct flow_entries *entries,
                                          const struct flow_entry *entry);

/* Nothing of the facts is left to be counted. */
void flow_entry_clear_report(struct flow_entry *entry);

/* Removes the entries whose id is 0. 0 or -ENOMEM. */
int flow_entries_sweep(struct flow_entries *entries) MUST_CHECK;
