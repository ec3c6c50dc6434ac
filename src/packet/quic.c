/* SPDX-License-Identifier: MIT */
/* QUIC: the long header, RFC 8999, RFC 9000 section 17.2, RFC 9369. */
#include "packet/quic.h"

#include "packet/facts.h"

#define LONG_HEADER 0x80
#define FIXED_BIT 0x40
#define HEADER 7 /* with both lengths, without connection ids */
#define ID_MAX 20
#define VERSION_1 1
#define VERSION_2 0x6b3343cf

static const char *type_name(uint8_t first, uint32_t version)
{
    static const char *const names[] = {"Initial", "0-RTT", "Handshake", "Retry"};
    unsigned int type = first >> 4 & 3u;

    if (version == 0)
        return "Version Negotiation";
    return names[version == VERSION_2 ? (type + 3) % 4 : type];
}

static uint32_t version_number(uint32_t version)
{
    return version == VERSION_1 ? 1 : version == VERSION_2 ? 2 : 0;
}

static void put_id(struct packet *packet, const char *title, uint32_t at, uint32_t length)
{
    if (length == 0)
        return;
    packet_puts(packet, title);
    packet_put_digits(packet, at, length);
}

static bool is_long_header(uint8_t first, uint32_t version)
{
    if (!(first & LONG_HEADER))
        return false;
    return version == 0 || ((first & FIXED_BIT) && (version == VERSION_1 || version == VERSION_2));
}

/* The length of the connection id that is told at `at`, if it is there before `end`. */
static bool read_id(struct packet *packet, uint32_t at, uint32_t end, uint32_t *ret_length)
{
    if (at >= end || !packet_has(packet, at, 1))
        return false;
    *ret_length = packet_u8(packet, at);
    return *ret_length <= ID_MAX && *ret_length < end - at &&
           packet_has(packet, at + 1, *ret_length);
}

void quic_dissect(struct packet *packet, uint32_t at, uint32_t length)
{
    uint32_t version, to, from;
    uint8_t first;

    if (length < HEADER || !packet_has(packet, at, HEADER))
        return;
    first = packet_u8(packet, at);
    version = packet_u32(packet, at + 1);
    if (!is_long_header(first, version) || !read_id(packet, at + 5, at + length, &to) ||
        !read_id(packet, at + 6 + to, at + length, &from))
        return;
    packet_printf(packet, ", QUIC %s", type_name(first, version));
    if (version != 0)
        packet_printf(packet, " v%u", version_number(version));
    put_id(packet, ", dcid ", at + 6, to);
    put_id(packet, ", scid ", at + 7 + to, from);
    if (!packet->facts)
        return;
    packet->facts->has |= FACTS_QUIC;
    packet->facts->quic.type = type_name(first, version);
    packet->facts->quic.version = version_number(version);
    packet->facts->quic.dcid = packet_facts_add(packet->facts, packet->bytes + at + 6, to);
    packet->facts->quic.scid = packet_facts_add(packet->facts, packet->bytes + at + 7 + to, from);
}
