/* SPDX-License-Identifier: MIT */
/* What unconnected UDP sockets exchange by peer, as long as somebody asks: telling peers apart
 * costs each call something. */
#pragma once

#include "bpf/traffic.h"

#include <stdbool.h>

struct traffic_peers {
    struct traffic_program program;
    int error; /* why it is not there; 0: it is, or nobody has asked */
};

#define TRAFFIC_PEERS_INIT ((struct traffic_peers){.program = TRAFFIC_PROGRAM_INIT})

/* All flows of peers since the last time; begins or ends with them, as they are asked for. 0,
 * -errno, or what `fn` returned. */
int traffic_peers_read(struct traffic_peers *peers, struct traffic_program *calls, bool asked,
                       traffic_flow_fn *fn, void *context) MUST_CHECK;
void traffic_peers_done(struct traffic_peers *peers);
