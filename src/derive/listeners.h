/* SPDX-License-Identifier: MIT */
/* Listeners: which listening socket a connection came in by, as the kernel would choose it. */
#pragma once

#include "base/map.h"
#include "model/snapshot.h"

/* The listening sockets of a snapshot, by what they listen to. */
struct listeners {
    struct map index;    /* hash of a place -> socket index */
    uint8_t ports[8192]; /* bits: most connections of a client have a port that nobody listens on */
};

/* 0 or -ENOMEM. Ended by listeners_done(). */
int listeners_make(const struct snapshot *snapshot, struct listeners *ret_listeners) MUST_CHECK;
void listeners_done(struct listeners *listeners);

/*
 * Index of the listener of a connection, or of what waits at it; MAP_NONE: none. Those that share a
 * port by SO_REUSEPORT have the same place, and nothing tells by which of them a connection came:
 * the first of them stands for all.
 */
uint32_t listeners_find(const struct snapshot *snapshot, const struct listeners *listeners,
                        const struct socket *socket);
