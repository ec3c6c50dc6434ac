/* SPDX-License-Identifier: MIT */
/* Whose captured packets are: a table of flows that the kernel tells of, each once. */
#pragma once

#include "base/cleanup.h"
#include "model/packet_flow.h"
#include "model/packet_owner.h"

#include <stdint.h>

struct packet_owners;

/*
 * From now on packets of all namespaces are told of, where BPF may be used and works. Else *ret_why
 * is the reason why not, -errno, and only sockets that are there when they are asked about are
 * known. 0 or -ENOMEM.
 */
int packet_owners_open(bool with_bpf, struct packet_owners **ret_owners, int *ret_why) MUST_CHECK;
void packet_owners_close(struct packet_owners *owners);
static inline void packet_owners_closep(struct packet_owners **owners)
{
    packet_owners_close(*owners);
}

/* Whether BPF tells; else descriptors are searched. */
bool packet_owners_by_bpf(const struct packet_owners *owners);

/* Packets of the calling thread's namespace will be asked about. 0 and its number, or -errno. */
int packet_owners_add_place(struct packet_owners *owners, uint32_t *ret_place) MUST_CHECK;

/* No more places will be added: where there is but one namespace, others are not told of. */
void packet_owners_narrow(struct packet_owners *owners);

/* Takes in what was told meanwhile. Packets older than this can be asked about. 0 or -ENOMEM. */
int packet_owners_update(struct packet_owners *owners) MUST_CHECK;

/* The processes that were told of, by now; those of the last call are the first ones. */
const struct packet_process *const *packet_owners_told(const struct packet_owners *owners,
                                                       uint32_t *ret_count);

/* Nobody will ask about packets of this one any more; its number may be another's soon. */
void packet_owners_drop_place(struct packet_owners *owners, uint32_t place);

/* Reads once which sockets there are, and who holds them: nothing tells of those that are idle. */
void packet_owners_learn(struct packet_owners *owners);

/* What was told, but was lost: there was no room for it. */
uint64_t packet_owners_lost(const struct packet_owners *owners);

/* Whose a packet was that was captured at `time_ns` (CLOCK_REALTIME). Its processes live as long as
 * `owners`, its number is valid until the next packet_owners_update(). */
void packet_owners_find(struct packet_owners *owners, uint32_t place,
                        const struct packet_flow *flow, uint64_t time_ns,
                        struct packet_owner *ret_owner);

/*
 * Whose the socket is that sends packets with these ends. Of what was told and is over nothing
 * counts that ended before `since_ns` (CLOCK_BOOTTIME): another socket may have the same ends now.
 * The second only says whether a flow is known.
 */
void packet_owners_find_sender(struct packet_owners *owners, uint32_t place,
                               const struct packet_ends *ends, uint64_t since_ns,
                               struct packet_end *ret_end);
bool packet_owners_knows_sender(const struct packet_owners *owners, uint32_t place,
                                const struct packet_ends *ends);
