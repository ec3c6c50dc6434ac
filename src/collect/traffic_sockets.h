/* SPDX-License-Identifier: MIT */
/* What was counted of each TCP socket, settled with the socket's own counters. */
/*
 * Bytes that a process takes from a socket by splice(2) or as mapped pages pass no call that is
 * counted, and those of a long call are only counted when it returns, but TCP knows them. The
 * difference is shown while the socket lives as far as it is known from the last look, less what
 * calls have counted since; what is left when the socket ends is reported, with FLOW_SPLICED. It is
 * of the process that is known: the only one with calls on the socket, or else the only one that
 * had it. Where there are several it is nobody's.
 */
#pragma once

#include "bpf/traffic_record.h"
#include "collect/flow_table.h"

struct traffic_sockets;

/* NULL: no memory. */
struct traffic_sockets *traffic_sockets_new(void);
void traffic_sockets_free(struct traffic_sockets *sockets);

/* What a socket had before accounting began is not counted. 0 or -ENOMEM. */
int traffic_sockets_prime(struct traffic_sockets *sockets, const struct traffic_held *held)
    MUST_CHECK;

/* Reports what a thread did. 0 or -ENOMEM, as the next ones. */
int traffic_sockets_count(struct traffic_sockets *sockets, struct flow_table *table,
                          const struct traffic_key *key, const struct traffic_flow *flow)
    MUST_CHECK;

/* Reports packets of a socket, of whatever protocol. */
int traffic_sockets_wire(const struct traffic_sockets *sockets, struct flow_table *table,
                         const struct traffic_key *key, const struct traffic_flow *flow) MUST_CHECK;

/*
 * Bytes that TCP sockets moved are reported already, without saying which: as much of what is found
 * missing is not reported again.
 */
void traffic_sockets_other(struct traffic_sockets *sockets, struct traffic bytes);

/*
 * Looks begin: of several at one socket, by each process that has it, the first one counts. `all`:
 * every process is looked at, so that the only one that has a socket is known.
 */
void traffic_sockets_look_around(struct traffic_sockets *sockets, bool all);

/* A look at a socket in use, from before the flows that were reported last. */
int traffic_sockets_look(struct traffic_sockets *sockets, const struct traffic_held *held)
    MUST_CHECK;

/* Tells the table what TCP has more of. At the end of each reading. */
int traffic_sockets_show(struct traffic_sockets *sockets, struct flow_table *table) MUST_CHECK;

/* Whether TCP had nothing more then. */
bool traffic_sockets_settled(const struct traffic_sockets *sockets);

/*
 * Processes that have made no call for longer than a look, while TCP moved bytes for them: at most
 * `size` of them. How many.
 */
uint32_t traffic_sockets_busy(const struct traffic_sockets *sockets, uint32_t *pids, uint32_t size);

/* Bytes so far that no process could be named for, as there were several. */
uint64_t traffic_sockets_nobodys(const struct traffic_sockets *sockets);

/* Its last descriptor was closed, all calls being reported. */
int traffic_sockets_close(struct traffic_sockets *sockets, struct flow_table *table,
                          const struct traffic_close *closed, uint64_t now_ns) MUST_CHECK;

/* The same of one that was closed or destroyed before it was known what it had at the start. */
int traffic_sockets_drop(struct traffic_sockets *sockets, struct flow_table *table, uint64_t cookie,
                         uint64_t now_ns) MUST_CHECK;

/* It was destroyed. One that nobody used, had or closed since the start has had no traffic since.
 */
int traffic_sockets_end(struct traffic_sockets *sockets, struct flow_table *table,
                        const struct traffic_tcp *ended, uint64_t now_ns) MUST_CHECK;

/*
 * Forgets sockets that were closed so long ago that their end must have been missed: to be called
 * when records were lost.
 */
int traffic_sockets_sweep(struct traffic_sockets *sockets, uint64_t now_ns) MUST_CHECK;
