/* SPDX-License-Identifier: MIT */
/* BPF programs that count traffic: loads each alone, attaches it, reads what it has. */
#pragma once

#include "bpf/ring.h"
#include "bpf/traffic_record.h"

enum traffic_part {
    TRAFFIC_CALLS, /* bytes of every call that sends or receives; by tracepoints, since 6.3 */
    TRAFFIC_CALLS_BY_FUNCTIONS, /* the same by functions of the kernel, before 6.5; where it allows
                                   that, and has packet sockets and IPv6 built in */
    TRAFFIC_END,                /* counters of TCP sockets that are destroyed */
    TRAFFIC_CLOSE,   /* who closed a socket; needs CAP_NET_ADMIN and the root of cgroup2 */
    TRAFFIC_WALK,    /* counters of TCP sockets with a descriptor; counts nothing by itself */
    TRAFFIC_PACKETS, /* of every socket, with their headers; since 6.2, needs what CLOSE needs */
    TRAFFIC_PEERS,   /* of calls of unconnected UDP sockets, for CALLS; needs what CLOSE needs */
};

/* A program that is loaded and attached. Nothing of it outlives the process. */
struct traffic_program {
    enum traffic_part part;
    void *skeleton;              /* owned; NULL when closed */
    struct traffic_state *state; /* memory shared with the program. Owned by the skeleton */
    int links[7];                /* owned; -1: none */
    int prog_fd;                 /* of the walk, for iterator_read(): struct traffic_held */
    struct ring ring;            /* of end (struct traffic_tcp) and close (struct traffic_close) */
    struct ring notice;          /* readable when half of the ring or most of the flows are full */
    /* Of calls and packets: the maps, owned by the skeleton; slots of one half, of all processors,
     * owned; how many processors the kernel has room for. */
    int flows_fd[2], halves_fd, slots_fd;
    struct traffic_slots *slots;
    unsigned int processors;
    /* Of calls: where the maps of PEERS are put; of those the one that goes with its flows. */
    int peer_flows_fd, peer_callers_fd, callers_fd;
};

#define TRAFFIC_PROGRAM_INIT                                                                       \
    ((struct traffic_program){.links = {-1, -1, -1, -1, -1, -1, -1},                               \
                              .prog_fd = -1,                                                       \
                              .ring = RING_INIT,                                                   \
                              .notice = RING_INIT})

/* Processes are numbered as in the pid namespace of this inode. 0, or -errno as the kernel gave it.
 */
int traffic_program_open(enum traffic_part part, uint32_t pidns,
                         struct traffic_program *ret_program) MUST_CHECK;
void traffic_program_close(struct traffic_program *program);

/* Calls by tracepoints, or else by functions; the error is that of the first. */
int traffic_calls_open(uint32_t pidns, struct traffic_program *ret_program) MUST_CHECK;

typedef int traffic_flow_fn(void *context, const struct traffic_key *key,
                            const struct traffic_flow *flow);

/*
 * All flows of calls or packets since the last time: exchanges the halves, waits until no program
 * works on the old one (some milliseconds without CPU time), reads it and empties it. A negative
 * return of `fn` is returned, and the rest of the flows is lost.
 */
int traffic_take_flows(struct traffic_program *program, traffic_flow_fn *fn, void *context)
    MUST_CHECK;

/*
 * From now on the calls of unconnected UDP sockets are counted by peer, where they say one and as
 * long as there is room, and not in the flow of their socket. 0 or -errno.
 */
int traffic_split(struct traffic_program *calls, struct traffic_program *peers) MUST_CHECK;

/* As traffic_take_flows(), of the flows of peers; their keys are those of the sockets' flows. */
int traffic_take_peers(const struct traffic_program *calls, struct traffic_program *peers,
                       traffic_flow_fn *fn, void *context) MUST_CHECK;

/* Until now: the same for the last time. `peers` is to be closed. */
int traffic_join(struct traffic_program *calls, struct traffic_program *peers, traffic_flow_fn *fn,
                 void *context) MUST_CHECK;
