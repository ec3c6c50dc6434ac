/* SPDX-License-Identifier: MIT */
/* Flow join: which socket a flow belongs to, what the flows of a socket and of a process add up to,
 * and which side serves. Pure. */
#pragma once

#include "model/snapshot.h"

struct flow_sum {
    struct traffic total, last;
    uint64_t cookie; /* of the socket; 0: of a process */
    uint32_t socket; /* index into snapshot.sockets, or FLOW_JOIN_NONE */
    bool known;      /* there is a flow */
};

#define FLOW_JOIN_NONE UINT32_MAX

/* Empty where there are no flows. */
struct flow_join {
    struct flow_sum *sockets;   /* one for each cookie */
    struct flow_sum *processes; /* one for each process of the snapshot */
    uint32_t *of_socket;        /* for each socket of the snapshot: index into `sockets`, or NONE */
    uint32_t socket_count;
    struct map by_cookie; /* -> index into `sockets` */
    struct map serving;   /* places that sockets wait at: see flow_serves() */
};

/* 0 or -ENOMEM. */
int flow_join_make(const struct snapshot *snapshot, struct flow_join *ret_join) MUST_CHECK;
void flow_join_done(struct flow_join *join);

void flow_sum_add(struct flow_sum *sum, const struct flow *flow);

/* What the flows of one socket of the snapshot add up to, or NULL. */
const struct flow_sum *flow_sum_of_socket(const struct flow_join *join, uint32_t socket);

/* The socket of a flow, or FLOW_JOIN_NONE. */
uint32_t flow_socket(const struct flow_join *join, const struct flow *flow);

/*
 * The port of the side that serves: the own one where a socket listens to it in the same namespace,
 * else the other one. Where listeners are not known, the lower of both. 0: there is none.
 */
uint16_t flow_service_port(const struct snapshot *snapshot, const struct flow_join *join,
                           const struct flow *flow);
