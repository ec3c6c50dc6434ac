/* SPDX-License-Identifier: MIT */
/* The checksum of internet protocols: RFC 1071, RFC 793, RFC 8200 section 8.1. */
#include "packet/checksum.h"

#include "packet/ipv6.h"

#include <netinet/in.h>

/* Ones' complement sum; an odd last byte is the high half of a word. */
static uint64_t add(uint64_t sum, const uint8_t *bytes, uint32_t length)
{
    uint32_t i = 0;

    for (; i + 1 < length; i += 2)
        sum += (uint64_t)bytes[i] << 8 | bytes[i + 1];
    return i < length ? sum + ((uint64_t)bytes[i] << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint16_t checksum_of(const struct packet *packet, uint32_t at, uint32_t length)
{
    return fold(add(0, packet->bytes + at, length));
}

/* The last address of a source route, or the destination (RFC 791: the checksum is the last's). */
static uint32_t last_ipv4_hop(struct packet *packet, uint32_t ip)
{
    uint32_t at = ip + 20, end = ip + (packet_u8(packet, ip) & 15) * 4u;

    while (at < end && packet_has(packet, at, 2) && packet->bytes[at] != 0) {
        uint8_t option = packet->bytes[at], length = option == 1 ? 1 : packet->bytes[at + 1];

        if (length == 0 || (option != 1 && length < 2) || length > end - at ||
            !packet_has(packet, at, length))
            break;
        if ((option == 131 || option == 137) && length >= 7)
            return at + length - 4;
        at += length;
    }
    return ip + 16;
}

uint16_t checksum_of_upper(struct packet *packet, uint32_t ip, uint8_t protocol, uint32_t at,
                           uint32_t length)
{
    bool is_v4 = packet_u8(packet, ip) >> 4 != 6;
    uint32_t size = is_v4 ? 4 : 16, source = ip + (is_v4 ? 12 : 8);
    uint32_t destination = is_v4 ? last_ipv4_hop(packet, ip) : ipv6_last_hop(packet, ip);
    uint64_t sum = protocol;

    /* The length of IPv4's has 16 bits. */
    sum += is_v4 ? length & 0xffff : (uint64_t)(length >> 16) + (length & 0xffff);
    if (!packet_need(packet, source, size) || !packet_need(packet, destination, size))
        return 0;
    sum = add(sum, packet->bytes + source, size);
    sum = add(sum, packet->bytes + destination, size);
    return fold(add(sum, packet->bytes + at, length));
}

uint16_t checksum_right(uint16_t found, uint16_t sum)
{
    uint32_t right = (uint32_t)found + sum;

    right = (right & 0xffff) + (right >> 16);
    return (uint16_t)((right & 0xffff) + (right >> 16));
}
