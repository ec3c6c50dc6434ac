/* SPDX-License-Identifier: MIT */
/* Next hops out of rtnetlink messages. */
#pragma once

#include "model/snapshot.h"

/* Whether somebody has to be found at the other end of the interface before packets can be sent. */
bool next_hop_is_asked_for(const struct socket *socket);

/*
 * Takes the interface and the address out of an RTM_NEWROUTE message; an interface 0 where there is
 * no hop, as of addresses of this machine. 0, or -EBADMSG for a message that is too short.
 */
int next_hop_read_route(struct next_hop *hop, const void *payload, size_t length) MUST_CHECK;

/* Takes the state out of an RTM_NEWNEIGH message into those of the hops from number `first` on that
 * it is about. 0, or -EBADMSG as above. */
int next_hop_read_neighbour(struct snapshot *snapshot, uint32_t first, const void *payload,
                            size_t length) MUST_CHECK;
