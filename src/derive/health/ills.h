/* SPDX-License-Identifier: MIT */
/* Ills: what is wrong with one socket, as far as one reading tells, or two. The one definition, of
 * filters, of `nwho top` and of the checks. Pure. */
#pragma once

#include "derive/join.h"
#include "derive/rates.h"

enum ill {
    ILL_CLOSE_WAIT = 1u << 0, /* the other side has ended, the process has not */
    ILL_PEER_FULL = 1u << 1,  /* data waits to be sent, the other side takes nothing */
    ILL_UNREAD = 1u << 2,     /* data waits to be read, and nobody does */
    ILL_QUEUE_FULL = 1u << 3, /* of a listener: accept queue or SYN queue */
    ILL_SENT_AGAIN = 1u << 4, /* much has to be sent again, or nothing is acknowledged */
    ILL_STUCK = ILL_PEER_FULL | ILL_UNREAD,
};

#define ILL_COUNT 5

/* More connections wait at a listener than its backlog: the kernel takes no more. */
bool ill_accept_queue_full(const struct socket *socket);

/* The peer takes nothing more; the persist timer asks again and again whether it does. */
bool ill_peer_full(const struct snapshot *snapshot, const struct socket *socket);

/* Data waits to be read, and the peer may send no more until it is. */
bool ill_window_closed(const struct snapshot *snapshot, const struct socket *socket);

/* What is wrong with the socket of this index: bits of enum ill. `rates`: since the reading before,
 * or NULL. */
uint32_t ills_of_socket(const struct snapshot *snapshot, const struct join *join,
                        const struct rates *rates, uint32_t socket);

/* "close-wait", "peer-full", ... of 1u << index; and what it means, in a few words. */
const char *ill_word(unsigned int index);
const char *ill_help(unsigned int index);

/* Bits of the sockets of each process of the snapshot, for free(). 0 or -ENOMEM. */
int ills_of_processes(const struct snapshot *snapshot, const struct join *join,
                      const struct rates *rates, uint32_t **ret_ills) MUST_CHECK;

/* Cookie -> bits, of all sockets that something is wrong with. 0 or -ENOMEM. */
int ills_map(const struct snapshot *snapshot, const struct join *join, const struct rates *rates,
             struct map *ret_ills) MUST_CHECK;
