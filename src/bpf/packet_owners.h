/* SPDX-License-Identifier: MIT */
/* Loads the programs that tell of which socket packets are, and reads what they tell. */
#pragma once

#include "base/cleanup.h"
#include "bpf/packet_owner_record.h"
#include "bpf/ring.h"

#include <stdint.h>

#define PACKET_OWNERS_LINKS 6

/* Loaded programs with their buffer. Nothing of it outlives the process. */
struct packet_owners_program {
    void *skeleton; /* owned; NULL when closed */
    struct ring ring;
    struct packet_owner_control *control; /* shared with the programs; owned by the skeleton */
    int links[PACKET_OWNERS_LINKS];       /* -1: not attached */
};

#define PACKET_OWNERS_PROGRAM_INIT                                                                 \
    ((struct packet_owners_program){.ring = RING_INIT, .links = {-1, -1, -1, -1, -1, -1}})

/* A negative return ends the reading and is returned by it. */
typedef int packet_owner_fn(void *context, const struct packet_owner_record *record);

/* From now on flows are told of, and the sockets that are there have who holds them. `pidns`: the
 * reader's. 0 or -errno as the kernel gave it. */
int packet_owners_program_open(struct packet_owners_program *program, uint32_t pidns) MUST_CHECK;
/* From now on only of sockets of this namespace. */
void packet_owners_program_narrow(struct packet_owners_program *program, uint32_t netns);
void packet_owners_program_close(struct packet_owners_program *program);

/* Calls `fn` for all that was told. 0, or what `fn` returned. */
int packet_owners_program_read(struct packet_owners_program *program, packet_owner_fn *fn,
                               void *context) MUST_CHECK;

/* Records for which there was no room, so far. */
uint64_t packet_owners_program_lost(const struct packet_owners_program *program);
