/* SPDX-License-Identifier: MIT */
/* IPv6: header, extension headers and fragments. */
#pragma once

#include "packet/packet.h"

#include <netinet/in.h>

void ipv6_dissect(struct packet *packet, const struct layer *layer);

/* Where the address is that checksums are of: the last of a routing header, or the destination. */
uint32_t ipv6_last_hop(const struct packet *packet, uint32_t ip);

/* A jumbogram, RFC 2675: the length of its payload is in an option. */
struct jumbo {
    uint32_t payload; /* 0: the header says none */
    bool found;
};

/*
 * The extension header at `at`: its text, and its length; 0 when the packet ends with it, as was
 * said.
 */
uint32_t ipv6_put_hop_by_hop(struct packet *packet, uint32_t at, struct jumbo *jumbo);
uint32_t ipv6_put_destination(struct packet *packet, uint32_t at);
uint32_t ipv6_put_routing(struct packet *packet, uint32_t at);
