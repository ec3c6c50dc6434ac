/* SPDX-License-Identifier: MIT */
/* Where sequence numbers of TCP connections begin, so that those shown are small. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tcp_flows;

/* Both ends of a connection, in the order of one of its packets. Without padding: it is compared
 * as bytes. */
struct tcp_ends {
    uint8_t source[16], destination[16]; /* IPv4: the first 4 bytes, else zero */
    uint16_t source_port, destination_port;
    uint16_t family; /* AF_INET or AF_INET6 */
};

/* What is subtracted from numbers of this packet's sender, and of the other end. */
struct tcp_origin {
    uint32_t sender, peer;
    bool is_new;       /* this packet is the first, whose own numbers are shown whole */
    bool is_forgotten; /* for lack of memory: the next packet would be the first, too */
};

/* NULL: no memory. */
struct tcp_flows *tcp_flows_new(void);
void tcp_flows_free(struct tcp_flows *flows);

/*
 * The origin of the connection. The first packet with an acknowledgement makes it, and each SYN
 * anew.
 */
struct tcp_origin tcp_flows_origin(struct tcp_flows *flows, const struct tcp_ends *ends, bool syn,
                                   uint32_t seq, uint32_t ack);
