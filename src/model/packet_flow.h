/* SPDX-License-Identifier: MIT */
/* Between whom a packet is: what sockets are found by. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct packet_ends {
    uint8_t family;    /* AF_INET, AF_INET6; 0: neither, all else is unknown */
    uint8_t proto;     /* IPPROTO_ */
    uint8_t tcp_flags; /* as in the header */
    uint8_t icmp_type; /* of ICMP and ICMPv6 */
    uint8_t icmp_code;
    bool is_short;                     /* ports are missing: a later fragment, or too short */
    uint16_t source_port, target_port; /* host order; of an echo of ICMP its id, both */
    uint8_t source[16], target[16];    /* IPv4: the first four bytes */
};

struct packet_flow {
    struct packet_ends ends;
    struct packet_ends quoted; /* of the packet that an error of ICMP is about; family 0: none */
    uint8_t link_source[6];    /* the address of the link that sent it; zero: unknown */
    uint32_t ifindex;          /* where the link's header says it; 0: it does not */
    uint16_t ether_type;       /* 0: unknown */
};

/* Of a protocol of IP: "tcp"; NULL: it has only its number. */
const char *packet_proto_name(uint8_t proto);
bool packet_proto_has_ports(uint8_t proto);
