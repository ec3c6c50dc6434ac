/* SPDX-License-Identifier: MIT */
/* The option of TCP that Multipath TCP is made of: RFC 6824, RFC 8684. */
#include "packet/names.h"
#include "packet/tcp.h"

#include <inttypes.h>

static bool put_capable(struct packet *packet, uint32_t at, uint32_t size, uint8_t flags)
{
    bool syn = (size == 4 || size == 12) && flags & TCP_SYN;
    bool ack = (size == 20 || size == 22) && (flags & (TCP_SYN | TCP_ACK)) == TCP_ACK;
    uint8_t version;

    if (!syn && !ack)
        return false;
    version = packet_u8(packet, at + 2) & 15;
    if (version > 1) {
        packet_printf(packet, " Unknown Version (%u)", version);
        return true;
    }
    packet_printf(packet, " v%u", version);
    if (packet_u8(packet, at + 3) & 0x80)
        packet_puts(packet, " csum");
    if (size >= 12)
        packet_printf(packet, " {0x%" PRIx64, packet_u64(packet, at + 4));
    if (size >= 20)
        packet_printf(packet, ",0x%" PRIx64, packet_u64(packet, at + 12));
    packet_puts(packet, size >= 12 ? "}" : "");
    return true;
}

static bool put_join(struct packet *packet, uint32_t at, uint32_t size, uint8_t flags)
{
    bool syn = size == 12 && flags & TCP_SYN;
    bool both = size == 16 && (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    bool ack = size == 24 && flags & TCP_ACK;

    if (!syn && !both && !ack)
        return false;
    if (size == 24) {
        packet_puts(packet, " hmac 0x");
        packet_put_digits(packet, at + 4, 20);
        return true;
    }
    packet_puts(packet, packet_u8(packet, at + 2) & 1 ? " backup" : "");
    packet_printf(packet, " id %u", packet_u8(packet, at + 3));
    if (size == 12)
        packet_printf(packet, " token 0x%x nonce 0x%x", packet_u32(packet, at + 4),
                      packet_u32(packet, at + 8));
    else
        packet_printf(packet, " hmac 0x%" PRIx64 " nonce 0x%x", packet_u64(packet, at + 4),
                      packet_u32(packet, at + 12));
    return true;
}

/* A number of 4 or 8 bytes; false: so many are not left. */
static bool put_number(struct packet *packet, uint32_t *at, uint32_t *left, bool is_long)
{
    uint32_t size = is_long ? 8 : 4;

    if (*left < size)
        return false;
    packet_put_uint(packet, is_long ? packet_u64(packet, *at) : packet_u32(packet, *at));
    *at += size;
    *left -= size;
    return true;
}

static bool put_signal(struct packet *packet, uint32_t at, uint32_t size, uint8_t flags)
{
    uint32_t left = size - 4;
    uint8_t bits;

    if (size < 4 || flags & TCP_SYN)
        return false;
    bits = packet_u8(packet, at + 3);
    at += 4;
    packet_puts(packet, bits & 0x10 ? " fin" : "");
    if (bits & 0x01) {
        packet_puts(packet, " ack ");
        if (!put_number(packet, &at, &left, bits & 0x02))
            return false;
    }
    if (bits & 0x04) {
        packet_puts(packet, " seq ");
        if (!put_number(packet, &at, &left, bits & 0x08) || left < 4)
            return false;
        packet_printf(packet, " subseq %u", packet_u32(packet, at));
        if (left < 6)
            return false;
        packet_printf(packet, " len %u", packet_u16(packet, at + 4));
        left -= 6;
        if (left >= 2) {
            packet_printf(packet, " csum 0x%x", packet_u16(packet, at + 6));
            left -= 2;
        }
    }
    return left == 0;
}

static bool put_add_address(struct packet *packet, uint32_t at, uint32_t size)
{
    static const struct number_name kinds[] = {
        {6, "v0-ip6"}, {4, "v0-ip4"}, {1, "v1-echo"}, {0, "v1"}, {0, NULL}};
    bool is_v4 = size <= 18, has_mac, has_port;
    uint32_t rest = is_v4 ? size - 8 : size - 20; /* behind the address */

    if (size < 8 || (rest != 0 && rest != 2 && rest != 8 && rest != 10))
        return false;
    has_port = rest == 2 || rest == 10;
    has_mac = rest >= 8;
    packet_printf(packet, " %s id %u",
                  number_name(kinds, packet_u8(packet, at + 2) & 15u, "[bad version/echo]"),
                  packet_u8(packet, at + 3));
    packet_puts(packet, " ");
    is_v4 ? packet_put_ipv4(packet, at + 4) : packet_put_ipv6(packet, at + 4);
    at += is_v4 ? 8 : 20;
    if (has_port)
        packet_printf(packet, ":%u", packet_u16(packet, at));
    if (has_mac)
        packet_printf(packet, " hmac 0x%" PRIx64, packet_u64(packet, at + (has_port ? 2 : 0)));
    return true;
}

static bool put_remove_address(struct packet *packet, uint32_t at, uint32_t size)
{
    if (size < 4)
        return false;
    packet_puts(packet, " id");
    for (uint32_t i = 3; i < size; i++)
        packet_printf(packet, " %u", packet_u8(packet, at + i));
    return true;
}

static bool put_priority(struct packet *packet, uint32_t at, uint32_t size)
{
    if (size != 3 && size != 4)
        return false;
    packet_puts(packet, packet_u8(packet, at + 2) & 1 ? " backup" : " non-backup");
    if (size == 4)
        packet_printf(packet, " id %u", packet_u8(packet, at + 3));
    return true;
}

bool mptcp_put_option(struct packet *packet, uint32_t at, uint32_t size, uint8_t flags)
{
    static const char *const names[] = {"capable", "join", "dss",        "add-addr", "rem-addr",
                                        "prio",    "fail", "fast-close", "unknown"};
    uint32_t kind;

    packet->protocol = "mptcp";
    if (size < 3)
        return false;
    kind = packet_u8(packet, at + 2) >> 4;
    if (kind >= ARRAY_SIZE(names))
        kind = ARRAY_SIZE(names) - 1;
    packet_printf(packet, " %u %s", size, names[kind]);
    switch (kind) {
    case 0:
        return put_capable(packet, at, size, flags);
    case 1:
        return put_join(packet, at, size, flags);
    case 2:
        return put_signal(packet, at, size, flags);
    case 3:
        return put_add_address(packet, at, size);
    case 4:
        return put_remove_address(packet, at, size);
    case 5:
        return put_priority(packet, at, size);
    case 6:
    case 7:
        if (size != 12)
            return false;
        packet_printf(packet, kind == 6 ? " seq %" PRIu64 : " key 0x%" PRIx64,
                      packet_u64(packet, at + 4));
        return true;
    default:
        return true;
    }
}
