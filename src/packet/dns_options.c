/* SPDX-License-Identifier: MIT */
/* Options of EDNS: RFC 6891. */
#include "packet/dns.h"
#include "packet/names.h"

#include <netinet/in.h>

enum option {
    SIGNATURE_ALGORITHMS = 5,
    DIGESTS = 6,
    NSEC3_HASHES = 7,
    CLIENT_SUBNET = 8,
    EXPIRE = 9,
    COOKIE = 10,
    KEEPALIVE = 11,
    PADDING = 12,
    CHAIN = 13,
    KEY_TAG = 14,
};

static const struct number_name option_names[] = {
    {1, "LLQ"},
    {2, "UL"},
    {3, "NSID"},
    {SIGNATURE_ALGORITHMS, "DAU"},
    {DIGESTS, "DHU"},
    {NSEC3_HASHES, "N3U"},
    {CLIENT_SUBNET, "ECS"},
    {EXPIRE, "EXPIRE"},
    {COOKIE, "COOKIE"},
    {KEEPALIVE, "KEEPALIVE"},
    {PADDING, "PADDING"},
    {CHAIN, "CHAIN"},
    {KEY_TAG, "KEY-TAG"},
    {16, "CLIENT-TAG"},
    {17, "SERVER-TAG"},
    {0, NULL},
};

static const struct number_name signature_names[] = {
    {0, "DELETE"},
    {1, "RSAMD5"},
    {2, "DH"},
    {3, "DS"},
    {5, "RSASHA1"},
    {6, "DSA-NSEC3-SHA1"},
    {7, "RSASHA1-NSEC3-SHA1"},
    {8, "RSASHA256"},
    {10, "RSASHA512"},
    {12, "ECC-GOST"},
    {13, "ECDSAP256SHA256"},
    {14, "ECDSAP384SHA384"},
    {15, "ED25519"},
    {16, "ED448"},
    {252, "INDIRECT"},
    {253, "PRIVATEDNS"},
    {254, "PRIVATEOID"},
    {0, NULL},
};

static const struct number_name digest_names[] = {
    {1, "SHA-1"}, {2, "SHA-256"}, {3, "GOST_R_34.11-94"}, {4, "SHA-384"}, {0, NULL}};

static const struct number_name hash_names[] = {{1, "SHA-1"}, {0, NULL}};

static void put_list(struct packet *packet, const struct number_name *names, uint32_t at,
                     uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        packet_puts(packet, i > 0 ? " " : "");
        packet_put_name(packet, names, packet_u8(packet, at + i), "Alg_%u");
    }
}

static void put_key_tags(struct packet *packet, uint32_t at, uint32_t length)
{
    if (length % 2) {
        packet_put_invalid(packet);
        return;
    }
    for (uint32_t i = 0; i < length; i += 2)
        packet_printf(packet, "%s%u", i > 0 ? " " : "", packet_u16(packet, at + i));
}

/* RFC 7871: an address with as many bytes as its prefix has. */
static void put_subnet(struct packet *packet, uint32_t at, uint32_t length)
{
    uint8_t address[16] = {0};
    uint32_t bits, prefix, scope;
    uint16_t family;

    if (length < 4) {
        packet_put_invalid(packet);
        return;
    }
    family = packet_u16(packet, at);
    prefix = packet_u8(packet, at + 2);
    scope = packet_u8(packet, at + 3);
    bits = family == 1 ? 32 : family == 2 ? 128 : 0;
    if (!bits || length - 4 > bits / 8 || prefix > bits || scope > bits ||
        (prefix + 7) / 8 != length - 4) {
        packet_put_invalid(packet);
        return;
    }
    memcpy(address, packet->bytes + at + 4, length - 4);
    packet_put_address(packet, family == 1 ? AF_INET : AF_INET6, address);
    packet_printf(packet, "/%u/%u", prefix, scope);
}

static void put_cookie(struct packet *packet, uint32_t at, uint32_t length)
{
    if (length < 8 || (length > 8 && length < 16) || length > 40) {
        packet_put_invalid(packet);
        return;
    }
    packet_put_digits(packet, at, 8);
    packet_puts(packet, length > 8 ? " " : "");
    packet_put_digits(packet, at + 8, length - 8);
}

static void put_value(struct packet *packet, uint16_t code, uint32_t at, uint32_t length)
{
    switch (code) {
    case CLIENT_SUBNET:
        put_subnet(packet, at, length);
        break;
    case COOKIE:
        put_cookie(packet, at, length);
        break;
    case KEEPALIVE: /* in tenths of a second */
        if (length == 2)
            packet_printf(packet, "%u.%u sec", packet_u16(packet, at) / 10u,
                          packet_u16(packet, at) % 10u);
        else
            packet_put_invalid(packet);
        break;
    case EXPIRE:
        if (length == 4)
            packet_printf(packet, "%u sec", packet_u32(packet, at));
        else
            packet_put_invalid(packet);
        break;
    case PADDING:
        packet_printf(packet, "(%u)", length);
        break;
    case KEY_TAG:
        put_key_tags(packet, at, length);
        break;
    case SIGNATURE_ALGORITHMS:
        put_list(packet, signature_names, at, length);
        break;
    case DIGESTS:
        put_list(packet, digest_names, at, length);
        break;
    case NSEC3_HASHES:
        put_list(packet, hash_names, at, length);
        break;
    case CHAIN:
        dns_put_name(packet, at, at + length);
        break;
    default:
        packet_put_digits(packet, at, length);
    }
}

bool dns_put_options(struct packet *packet, uint32_t at, uint32_t end)
{
    while (at < end && !packet->cut) {
        uint16_t code, length;

        if (!packet_has(packet, at, 2))
            return false;
        code = packet_u16(packet, at);
        packet_put_name(packet, option_names, code, "Opt%u");
        if (!packet_has(packet, at + 2, 2))
            return false;
        length = packet_u16(packet, at + 2);
        at += 4;
        if (!packet_has(packet, at, length))
            return false;
        if (length > 0) {
            packet_puts(packet, " ");
            put_value(packet, code, at, length);
        }
        at += length;
        packet_puts(packet, at < end ? "," : "");
    }
    return true;
}
