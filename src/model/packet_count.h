/* SPDX-License-Identifier: MIT */
/* Packets of one kind that an interface passed while they were counted. */
#pragma once

#include <stdint.h>

/* Rows of the grid of protocols. A packet of TCP is in those of tcp, its IP version, and total. */
enum packet_protocol {
    PACKET_TOTAL,
    PACKET_IPV4,
    PACKET_IPV6,
    PACKET_TCP,
    PACKET_UDP,
    PACKET_ICMP, /* and ICMPv6 */
    PACKET_OTHER_IP,
    PACKET_NON_IP,
    PACKET_BROADCAST,
    PACKET_PROTOCOL_MAX,
};

#define PACKET_BRACKETS 20 /* of sizes up to the MTU; and there is one of larger ones */

struct packet_count {
    uint64_t rx_packets, rx_bytes; /* bytes with the header of the link, as the interface counts */
    uint64_t tx_packets, tx_bytes;
    uint64_t all_packets; /* of all rows of its kind, both ways */
    uint64_t lost;        /* packets of the interface that could not be counted */
    uint32_t netns;       /* index into snapshot.netns */
    uint32_t ifindex;
    uint32_t iface;       /* string: its name when counting began */
    uint32_t source;      /* string: what counted: "bpf", "packet socket" */
    uint32_t protocol;    /* enum packet_protocol; of sizes: total */
    uint32_t bracket;     /* of sizes */
    uint32_t least, most; /* of sizes: bytes without the header of the link; most 0: no end */
};
