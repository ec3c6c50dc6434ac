/* SPDX-License-Identifier: MIT */
/* A source of traffic: one step of the ladder that accounting climbs down. */
#pragma once

#include "collect/flow_table.h"
#include "collect/source.h"

/*
 * `state` is the source's own, made by open and freed by close. `now_ns` is CLOCK_BOOTTIME. All but
 * fd return 0 or -errno; of read and drain only -ENOMEM ends the program, anything else becomes a
 * note, and the next step of the ladder takes over.
 */
struct traffic_source {
    const char *name; /* as notes call it: "bpf sock_send_length" */
    enum accounting_level level;
    uint32_t source; /* enum source_bit that switches it off; 0: always on */
    uint64_t needs;  /* enum need: what read() takes from other collectors */

    /* `why` (a text of `size` bytes) says what failed, and what would help. */
    int (*open)(const struct request *request, uint64_t now_ns, void **ret_state, char *why,
                size_t size);
    void (*close)(void *state);

    /* What was counted so far does not count; *ret_start_ns: CLOCK_BOOTTIME from which on it does.
     * NULL: it does since the last read or open. */
    int (*begin)(void *state, uint64_t *ret_start_ns);

    /* Readable when drain() has something to take in; -1: never. */
    int (*fd)(const void *state);
    int (*drain)(void *state);

    /*
     * Reports to `table` what can be known cheaply of the traffic since the last time; the next
     * read() reports the rest. NULL: nothing can.
     */
    int (*count)(void *state, struct flow_table *table, const struct request *request);

    /*
     * Reports to `table` all traffic since the last read or since open, then what was closed. May
     * leave notes in collection->snapshot, and use what other collectors brought (they run before).
     */
    int (*read)(void *state, struct flow_table *table, struct collection *collection,
                uint64_t now_ns);
};

extern const struct traffic_source traffic_source_bpf;
extern const struct traffic_source traffic_source_diag;
