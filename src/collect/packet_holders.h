/* SPDX-License-Identifier: MIT */
/* Who holds which socket now: for whom nothing tells of packets. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "model/packet_owner.h"

struct packet_sockets;

struct packet_holders {
    struct map by_cookie; /* -> index into processes */
    const struct packet_process **processes;
    uint32_t count, capacity;
    uint64_t read_ns;  /* CLOCK_MONOTONIC; 0: never */
    struct map by_pid; /* -> index into `known`: the last one of that pid */
    const struct packet_process **known;
    uint32_t known_count, known_capacity;
    struct arena arena;
};

void packet_holders_done(struct packet_holders *holders);

/* Looks at the machine; connected sockets become flows of `flows`, which may be NULL. */
void packet_holders_read(struct packet_holders *holders, struct packet_sockets *flows);

/* As packet_holders_find(), by what was read before. */
const struct packet_process *packet_holders_known(const struct packet_holders *holders,
                                                  uint64_t cookie);

/* The only process that holds this socket, also by a new look at the machine. NULL: there is none,
 * or one of several. */
const struct packet_process *packet_holders_find(struct packet_holders *holders, uint64_t cookie);
