/* SPDX-License-Identifier: MIT */
/* Between whom a packet is, and no more: for each one that is captured. */
#include "packet/flow.h"

#include "packet/link.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#define EXTENSIONS_MAX 8
#define TAGS_MAX 2
#define IPV6_HEADER 40
#define ICMP_HEADER 8
#define TCP_FLAGS 13
#define ETHER_TYPE_VLAN_OUTER 0x88a8

enum link_type { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 12, LINK_RAW_FILE = 101 };
enum link_cooked { LINK_SLL = 113, LINK_SLL2 = 276 };

/* What is left of a packet. */
struct rest {
    const uint8_t *at;
    uint32_t length;
};

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)u16(at) << 16 | u16(at + 2);
}

static bool skip(struct rest *rest, uint32_t count)
{
    if (rest->length < count)
        return false;
    rest->at += count;
    rest->length -= count;
    return true;
}

/* --- the link --- */

static bool read_ether(struct packet_flow *flow, struct rest *rest, uint16_t *ret_type)
{
    if (rest->length < 14)
        return false;
    memcpy(flow->link_source, rest->at + 6, sizeof(flow->link_source));
    *ret_type = u16(rest->at + 12);
    (void)skip(rest, 14);
    for (int i = 0; i < TAGS_MAX && rest->length >= 4 &&
                    (*ret_type == ETHER_TYPE_VLAN || *ret_type == ETHER_TYPE_VLAN_OUTER);
         i++) {
        *ret_type = u16(rest->at + 2);
        (void)skip(rest, 4);
    }
    return true;
}

static bool read_raw(const struct rest *rest, uint16_t *ret_type)
{
    if (!rest->length)
        return false;
    *ret_type = rest->at[0] >> 4 == 6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_IPV4;
    return true;
}

static bool read_link(struct packet_flow *flow, struct rest *rest, int link_type)
{
    switch (link_type) {
    case LINK_ETHERNET:
        return read_ether(flow, rest, &flow->ether_type);
    case LINK_SLL:
        if (rest->length < 16)
            return false;
        flow->ether_type = u16(rest->at + 14);
        if (u16(rest->at + 4) == sizeof(flow->link_source))
            memcpy(flow->link_source, rest->at + 6, sizeof(flow->link_source));
        return skip(rest, 16);
    case LINK_SLL2:
        if (rest->length < 20)
            return false;
        flow->ether_type = u16(rest->at);
        flow->ifindex = u32(rest->at + 4);
        if (rest->at[11] == sizeof(flow->link_source))
            memcpy(flow->link_source, rest->at + 12, sizeof(flow->link_source));
        return skip(rest, 20);
    case LINK_RAW:
    case LINK_RAW_FILE:
        return read_raw(rest, &flow->ether_type);
    case LINK_NULL:
        return skip(rest, 4) && read_raw(rest, &flow->ether_type);
    default:
        return false;
    }
}

/* --- IP --- */

static bool read_ipv4(struct packet_ends *ends, struct rest *rest)
{
    uint32_t header = rest->length ? (rest->at[0] & 15) * 4u : 0;

    if (header < 20 || rest->length < header)
        return false;
    ends->family = AF_INET;
    ends->proto = rest->at[9];
    ends->is_short = u16(rest->at + 6) & 0x1fff;
    memcpy(ends->source, rest->at + 12, 4);
    memcpy(ends->target, rest->at + 16, 4);
    return skip(rest, header);
}

static bool is_extension(uint8_t proto)
{
    return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
           proto == IPPROTO_DSTOPTS;
}

static bool read_ipv6(struct packet_ends *ends, struct rest *rest)
{
    if (rest->length < IPV6_HEADER)
        return false;
    ends->family = AF_INET6;
    ends->proto = rest->at[6];
    memcpy(ends->source, rest->at + 8, 16);
    memcpy(ends->target, rest->at + 24, 16);
    (void)skip(rest, IPV6_HEADER);
    for (int i = 0; i < EXTENSIONS_MAX && is_extension(ends->proto) && rest->length >= 8; i++) {
        uint32_t length = ends->proto == IPPROTO_FRAGMENT ? 8 : (rest->at[1] + 1u) * 8;

        if (ends->proto == IPPROTO_FRAGMENT && u16(rest->at + 2) & 0xfff8)
            ends->is_short = true;
        ends->proto = rest->at[0];
        if (!skip(rest, length))
            return false;
    }
    return true;
}

/* --- what is within --- */

static bool is_icmp(const struct packet_ends *ends)
{
    return ends->proto == (ends->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool is_echo(const struct packet_ends *ends)
{
    return ends->family == AF_INET
               ? ends->icmp_type == ICMP_ECHO || ends->icmp_type == ICMP_ECHOREPLY
               : ends->icmp_type == ICMP6_ECHO_REQUEST || ends->icmp_type == ICMP6_ECHO_REPLY;
}

static bool is_error(const struct packet_ends *ends)
{
    return ends->family == AF_INET
               ? ends->icmp_type == ICMP_DEST_UNREACH || ends->icmp_type == ICMP_SOURCE_QUENCH ||
                     ends->icmp_type == ICMP_TIME_EXCEEDED || ends->icmp_type == ICMP_PARAMETERPROB
               : ends->icmp_type < ICMP6_ECHO_REQUEST;
}

static void read_upper(struct packet_ends *ends, const struct rest *rest)
{
    if (ends->is_short)
        return;
    if (is_icmp(ends) && rest->length >= ICMP_HEADER) {
        ends->icmp_type = rest->at[0];
        ends->icmp_code = rest->at[1];
        if (is_echo(ends))
            ends->source_port = ends->target_port = u16(rest->at + 4);
    } else if (packet_proto_has_ports(ends->proto) && rest->length >= 4) {
        ends->source_port = u16(rest->at);
        ends->target_port = u16(rest->at + 2);
        if (ends->proto == IPPROTO_TCP && rest->length > TCP_FLAGS)
            ends->tcp_flags = rest->at[TCP_FLAGS];
    } else if (packet_proto_has_ports(ends->proto) || is_icmp(ends)) {
        ends->is_short = true;
    }
}

static bool read_ip(struct packet_ends *ends, struct rest *rest, bool is_v6)
{
    if (!(is_v6 ? read_ipv6(ends, rest) : read_ipv4(ends, rest)))
        return false;
    read_upper(ends, rest);
    return true;
}

void flow_read(struct packet_flow *flow, int link_type, const struct captured *captured)
{
    struct rest rest = {captured->bytes, captured->captured};
    bool is_v6;

    *flow = (struct packet_flow){.ether_type = 0};
    if (!read_link(flow, &rest, link_type))
        return;
    is_v6 = flow->ether_type == ETHER_TYPE_IPV6;
    if ((!is_v6 && flow->ether_type != ETHER_TYPE_IPV4) || !read_ip(&flow->ends, &rest, is_v6))
        return;
    if (!flow->ends.is_short && is_icmp(&flow->ends) && is_error(&flow->ends) &&
        skip(&rest, ICMP_HEADER))
        (void)read_ip(&flow->quoted, &rest, is_v6);
}
