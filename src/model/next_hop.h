/* SPDX-License-Identifier: MIT */
/* Where packets to an address go next, of connections that wait for an answer (RTM_GETROUTE), and
 * whether anybody answers there for the link layer (RTM_GETNEIGH). */
#pragma once

#include "model/socket.h"

#include <stdint.h>

struct next_hop {
    union address destination;       /* of family: the peer, as its socket has it */
    union address address;           /* of address_family: the gateway, or the peer itself */
    uint32_t netns;                  /* index into snapshot.netns */
    uint32_t ifindex;                /* of the interface that leads there */
    uint32_t state;                  /* the kernel's NUD_*; 0: its table has no such neighbour */
    uint32_t family, address_family; /* AF_INET, AF_INET6 */
};
