/* SPDX-License-Identifier: MIT */
/* A namespace in which packets are captured: exact questions to the kernel about one of them. */
#pragma once

#include "model/packet_flow.h"
#include "netlink/netlink.h"

struct packet_place {
    uint32_t netns; /* inode */
    struct netlink diag, route;
};

#define PACKET_PLACE_INIT ((struct packet_place){.diag = NETLINK_INIT, .route = NETLINK_INIT})

/* The calling thread's namespace. It is asked about wherever the thread is later. 0 or -errno. */
int packet_place_open(struct packet_place *place) MUST_CHECK;
void packet_place_close(struct packet_place *place);

/* What the kernel does with packets to this address, RTN_: takes them in (RTN_LOCAL), ...; 0: there
 * is no way. */
unsigned int packet_place_route(struct packet_place *place, unsigned int family,
                                const uint8_t *address);

/* Whether an interface here has this address of six bytes. */
bool packet_place_has_link(struct packet_place *place, const uint8_t *address);

struct packet_socket {
    uint64_t cookie;
    bool listens, time_wait;
};

/*
 * The socket that packets of this end belong to: that of the sender, or of the receiver. 0,
 * -ENOENT: there is none now, -EOPNOTSUPP: there is no such question for that protocol, or -errno.
 */
int packet_place_find(struct packet_place *place, const struct packet_ends *ends, bool sender,
                      struct packet_socket *ret_socket) MUST_CHECK;
