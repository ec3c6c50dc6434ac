/* SPDX-License-Identifier: MIT */
/* Whose the packets of a flow were found to be, for a moment: thousands have the same ends. */
#pragma once

#include "model/packet_flow.h"
#include "model/packet_owner.h"

#define PACKET_MEMORY_SIZE 1024 /* flows; one takes another's place */

struct packet_remembered {
    uint64_t moment;
    uint32_t place;
    struct packet_ends ends;
    struct packet_owner owner;
};

struct packet_memory {
    struct packet_remembered flows[PACKET_MEMORY_SIZE];
    uint64_t moment; /* what is of another one is forgotten; 0: nothing is remembered yet */
    uint32_t count;  /* of owners, in this moment */
};

/* Nothing of what was found counts any more. */
void packet_memory_forget(struct packet_memory *memory);

/* What is remembered of the flow in `place`, of which `ret_slot` is where to remember it; NULL:
 * nothing is. Packets that open connections are other flows than the rest of these. */
const struct packet_owner *packet_memory_find(struct packet_memory *memory, uint32_t place,
                                              const struct packet_ends *ends,
                                              struct packet_remembered **ret_slot);

/* `slot` is of the last call above. Numbers the owner. */
void packet_memory_keep(struct packet_memory *memory, struct packet_remembered *slot,
                        struct packet_owner *owner);
