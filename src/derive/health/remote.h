/* SPDX-License-Identifier: MIT */
/* Remotes: which connections have the same destination, and what is at the other end of one. */
#pragma once

#include "model/snapshot.h"

/* For a tally: the same for all connections of a namespace to one address, or to one of its ports.
 */
uint64_t remote_key(const struct socket *socket, bool by_port);

/* The same for all from one own address to one port of a remote address: each has a local port of
 * its own. */
uint64_t remote_route_key(const struct socket *socket);

/* Where packets of the connection go next, when that was asked for; NULL: it is not known. */
const struct next_hop *remote_next_hop(const struct snapshot *snapshot,
                                       const struct socket *socket);

/* The same for all destinations that are reached by way of one neighbour. */
uint64_t remote_hop_key(const struct next_hop *hop);

/* The socket at the other end when that is on this machine, in whatever namespace; HEALTH_NONE: it
 * is not seen. Looks at each socket. */
uint32_t remote_other_end(const struct snapshot *snapshot, const struct socket *socket);

/* The listener that the connection asks for when that is in the same namespace, or HEALTH_NONE. */
uint32_t remote_listener(const struct snapshot *snapshot, const struct socket *socket);
