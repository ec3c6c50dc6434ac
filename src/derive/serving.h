/* SPDX-License-Identifier: MIT */
/* Serving: sockets that wait for others at a port which somebody chose, and who holds them. Pure.
 */
#pragma once

#include "model/snapshot.h"

/* Sockets for datagrams serve when they have no peer, and a port that the kernel did not choose. */
bool serving_is(const struct snapshot *snapshot, const struct socket *socket);

/* Who holds those that serve, by their inodes. 0 or -ENOMEM. */
int serving_holders(const struct snapshot *snapshot, struct map *holders) MUST_CHECK;

/* The process of one of them, the first that was found; MAP_NONE: none is known. */
uint32_t serving_holder(const struct snapshot *snapshot, const struct map *holders,
                        const struct socket *socket);
