/* SPDX-License-Identifier: MIT */
/* What was counted of each TCP socket, settled with the socket's own counters. */
/*
 * Bytes that a process takes from a socket by splice(2) or as mapped pages pass no call that is
 * counted, but TCP knows them. The difference is reported with FLOW_SPLICED for the socket's first
 * user, when the socket ends, and while it lives, once no call has ended on it between two looks:
 * a call that is still at work has moved bytes as well that are not counted yet. Should it have
 * been such a call after all, its bytes are not counted a second time when it ends.
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

/* Looks begin: of several at one socket, by each process that has it, the first one counts. */
void traffic_sockets_look_around(struct traffic_sockets *sockets);

/*
 * A look at a socket in use. `held` is from before the flows that were reported last, so that it
 * does not know more than they do but for the bytes looked for.
 */
int traffic_sockets_look(struct traffic_sockets *sockets, struct flow_table *table,
                         const struct traffic_held *held) MUST_CHECK;

/* Its last descriptor was closed, all calls being reported. */
int traffic_sockets_close(struct traffic_sockets *sockets, struct flow_table *table,
                          const struct traffic_close *closed, uint64_t now_ns) MUST_CHECK;

/* It was destroyed. */
int traffic_sockets_end(struct traffic_sockets *sockets, struct flow_table *table,
                        const struct traffic_tcp *ended, uint64_t now_ns) MUST_CHECK;

/*
 * Forgets sockets that were closed so long ago that their end must have been missed: to be called
 * when records were lost.
 */
int traffic_sockets_sweep(struct traffic_sockets *sockets, uint64_t now_ns) MUST_CHECK;

uint32_t traffic_sockets_total(const struct traffic_sockets *sockets);
