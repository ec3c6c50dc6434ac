/* SPDX-License-Identifier: MIT */
/* Peers of unconnected UDP sockets: begins to tell them apart, and ends. */
#include "collect/traffic_peers.h"

static void begin(struct traffic_peers *peers, struct traffic_program *calls)
{
    peers->error = traffic_program_open(TRAFFIC_PEERS, calls->state->pidns, &peers->program);
    if (peers->error == 0)
        peers->error = traffic_split(calls, &peers->program);
    if (peers->error < 0)
        traffic_program_close(&peers->program);
}

int traffic_peers_read(struct traffic_peers *peers, struct traffic_program *calls, bool asked,
                       traffic_flow_fn *fn, void *context)
{
    int r;

    if (!peers->program.skeleton) {
        if (asked && !peers->error)
            begin(peers, calls);
        return 0;
    }
    if (asked)
        return traffic_take_peers(calls, &peers->program, fn, context);
    r = traffic_join(calls, &peers->program, fn, context);
    traffic_program_close(&peers->program);
    return r;
}

void traffic_peers_done(struct traffic_peers *peers)
{
    traffic_program_close(&peers->program);
}
