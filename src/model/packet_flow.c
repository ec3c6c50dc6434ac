/* SPDX-License-Identifier: MIT */
/* Protocols of IP that packets are of. */
#include "model/packet_flow.h"

#include <netinet/in.h>
#include <stddef.h>

const char *packet_proto_name(uint8_t proto)
{
    switch (proto) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_UDPLITE:
        return "udplite";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6: /* as sockets are called, whose family says more */
        return "icmp";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_DCCP:
        return "dccp";
    default:
        return NULL;
    }
}

bool packet_proto_has_ports(uint8_t proto)
{
    return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
           proto == IPPROTO_SCTP || proto == IPPROTO_DCCP;
}
