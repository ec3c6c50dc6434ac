/* SPDX-License-Identifier: MIT */
/* Extension headers of IPv6: options and routes, RFC 8200, RFC 2675, RFC 2711, RFC 6275, RFC 8754.
 */
#include "packet/ipv6.h"

enum option {
    PAD1 = 0,
    PADN = 1,
    ROUTER_ALERT = 0x05,
    JUMBO = 0xc2,
    HOME_ADDRESS = 0xc9,
};

enum routing_type {
    SOURCE_ROUTE = 0,
    MOBILE = 2,
    SEGMENTS = 4,
};

struct options {
    uint32_t at, length;
    struct jumbo *jumbo; /* NULL: these are no hop-by-hop options */
    bool jumbo_seen;
};

/* The length of the option `i` bytes into the options, 0 if it goes beyond them. */
static uint32_t option_size(struct packet *packet, const struct options *options, uint32_t i)
{
    uint32_t size = 1;

    if (packet_u8(packet, options->at + i) != PAD1) {
        if (i + 1 >= options->length)
            return 0;
        size = packet_u8(packet, options->at + i + 1) + 2u;
    }
    return i + size > options->length ? 0 : size;
}

/* Whether an option of a fixed size has it; says so if not. */
static bool check_size(struct packet *packet, const char *name, uint32_t left, uint32_t at,
                       uint32_t size)
{
    if (left < size)
        packet_printf(packet, "(%s: trunc)", name);
    else if (packet_u8(packet, at + 1) != size - 2)
        packet_printf(packet, "(%s: invalid len %u)", name, packet_u8(packet, at + 1));
    else
        return true;
    return false;
}

static const char *judge_jumbo(struct options *options, uint32_t length)
{
    if (options->jumbo_seen)
        return " - already seen";
    options->jumbo_seen = true;
    if (!options->jumbo)
        return " - not a hop-by-hop option";
    if (options->jumbo->payload != 0)
        return " - payload len != 0";
    if (length < 65536)
        return " - < 65536";
    *options->jumbo = (struct jumbo){.payload = length, .found = true};
    return "";
}

/* Options within that of a home address. */
static bool put_suboptions(struct packet *packet, uint32_t at, uint32_t length)
{
    const struct options options = {.at = at, .length = length};

    for (uint32_t i = 0, size; i < length && !packet->cut; i += size) {
        uint8_t type = packet_u8(packet, at + i);

        size = option_size(packet, &options, i);
        if (size == 0)
            return false;
        if (type == PAD1)
            packet_puts(packet, ", pad1");
        else if (type == PADN)
            packet_puts(packet, ", padn");
        else
            packet_printf(packet, ", sopt_type 0x%02x: len=%u", type,
                          packet_u8(packet, at + i + 1));
    }
    return true;
}

static bool put_home_address(struct packet *packet, uint32_t at, uint32_t left, uint32_t size)
{
    if (left < 18 || size < 18) {
        if (left < 18)
            packet_puts(packet, "(homeaddr: trunc)");
        else
            packet_printf(packet, "(homeaddr: invalid len %u)", size - 2);
        return false;
    }
    if (packet->options->verbose == 0)
        return true;
    packet_puts(packet, packet_need(packet, at + 2, 16) ? "(homeaddr: " : "");
    packet_put_ipv6(packet, at + 2);
    if (!put_suboptions(packet, at + 18, size - 18))
        return false;
    packet_puts(packet, ")");
    return true;
}

static bool put_option(struct packet *packet, struct options *options, uint32_t i, uint32_t size)
{
    uint32_t at = options->at + i, left = options->length - i, number;
    uint8_t type = packet_u8(packet, at);
    bool verbose = packet->options->verbose > 0;

    switch (type) {
    case PAD1:
    case PADN:
        if (verbose)
            packet_puts(packet, type == PAD1 ? "(pad1)" : "(padn)");
        return true;
    case ROUTER_ALERT:
        if (!check_size(packet, "rtalert", left, at, 4))
            return false;
        if (verbose)
            packet_printf(packet, "(rtalert: 0x%04x) ", packet_u16(packet, at + 2));
        return true;
    case JUMBO:
        if (!check_size(packet, "jumbo", left, at, 6))
            return false;
        number = packet_u32(packet, at + 2);
        if (verbose)
            packet_printf(packet, "(jumbo: %u%s) ", number, judge_jumbo(options, number));
        else
            judge_jumbo(options, number);
        return true;
    case HOME_ADDRESS:
        return put_home_address(packet, at, left, size);
    default:
        if (verbose)
            packet_printf(packet, "(opt_type 0x%02x: len=%u)", type, packet_u8(packet, at + 1));
        return true;
    }
}

static bool put_options(struct packet *packet, struct options *options)
{
    for (uint32_t i = 0, size; i < options->length && !packet->cut; i += size) {
        size = option_size(packet, options, i);
        if (size == 0 || !put_option(packet, options, i, size))
            return false;
    }
    if (packet->options->verbose > 0)
        packet_puts(packet, " ");
    return true;
}

static uint32_t put_header(struct packet *packet, uint32_t at, const char *title, bool shown,
                           struct jumbo *jumbo)
{
    uint32_t length = (packet_u8(packet, at + 1) + 1u) * 8;
    struct options options = {.at = at + 2, .length = length - 2, .jumbo = jumbo};

    if (packet->cut)
        return 0;
    if (packet_has(packet, at, length)) {
        packet_puts(packet, title);
        if (!shown || put_options(packet, &options))
            return length;
    }
    packet_put_missing(packet);
    return 0;
}

uint32_t ipv6_put_hop_by_hop(struct packet *packet, uint32_t at, struct jumbo *jumbo)
{
    packet->protocol = "hbhopt";
    return put_header(packet, at, "HBH ", true, jumbo);
}

uint32_t ipv6_put_destination(struct packet *packet, uint32_t at)
{
    packet->protocol = "dstopt";
    return put_header(packet, at, "DSTOPT ", packet->options->verbose > 0, NULL);
}

/* --- routes --- */

static uint32_t put_route(struct packet *packet, uint32_t at, uint32_t length)
{
    if (length % 2) {
        packet_printf(packet, " (invalid length %u)", length);
        packet_put_invalid(packet);
        return 0;
    }
    for (uint32_t i = 0; i < length / 2 && packet_need(packet, at + 8 + 16 * i, 16); i++) {
        packet_printf(packet, ", [%u]", i);
        packet_put_ipv6(packet, at + 8 + 16 * i);
    }
    packet_puts(packet, ") ");
    return (length + 1) * 8;
}

uint32_t ipv6_put_routing(struct packet *packet, uint32_t at)
{
    bool verbose = packet->options->verbose > 0;
    uint8_t length, type;

    packet->protocol = "rt6";
    packet_puts(packet, "RT6");
    length = packet_u8(packet, at + 1);
    packet_printf(packet, " (len=%u", length);
    type = packet_u8(packet, at + 2);
    packet_printf(packet, ", type=%u%s", type, type == SOURCE_ROUTE ? " [Deprecated]" : "");
    packet_printf(packet, ", segleft=%u", packet_u8(packet, at + 3));
    if (type == SOURCE_ROUTE || type == MOBILE) {
        if (packet_u32(packet, at + 4) || verbose)
            packet_printf(packet, ", rsv=0x%0x", packet_u32(packet, at + 4));
    } else if (type == SEGMENTS) {
        packet_printf(packet, ", last-entry=%u", packet_u8(packet, at + 4));
        if (packet_u8(packet, at + 5) || verbose)
            packet_printf(packet, ", flags=0x%0x", packet_u8(packet, at + 5));
        packet_printf(packet, ", tag=%x", packet_u16(packet, at + 6));
    } else {
        packet_puts(packet, " (unknown type)");
        packet_put_invalid(packet);
        return 0;
    }
    return put_route(packet, at, length);
}

/* --- the last hop --- */

static uint32_t last_of_route(const struct packet *packet, uint32_t at, uint32_t otherwise)
{
    uint32_t length, last = otherwise;
    uint8_t type;

    if (!packet_has(packet, at, 4))
        return otherwise;
    length = packet->bytes[at + 1];
    type = packet->bytes[at + 2];
    if (length % 2)
        return otherwise;
    if (type == SEGMENTS) /* the list is backwards */
        return packet_has(packet, at + 8, 16) ? at + 8 : otherwise;
    if (type == SOURCE_ROUTE || type == MOBILE)
        for (uint32_t i = 0; i < length / 2 && packet_has(packet, at + 8 + 16 * i, 16); i++)
            last = at + 8 + 16 * i;
    return last;
}

uint32_t ipv6_last_hop(const struct packet *packet, uint32_t ip)
{
    uint32_t at = ip + 40, size;
    uint8_t next = packet->bytes[ip + 6];

    while (packet_has(packet, at, 2)) {
        if (next == IPPROTO_ROUTING)
            return last_of_route(packet, at, ip + 24);
        if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT &&
            next != 62 && next != IPPROTO_MH)
            break;
        size = next == IPPROTO_FRAGMENT ? 8 : (packet->bytes[at + 1] + 1u) * 8;
        next = packet->bytes[at];
        at += size;
    }
    return ip + 24;
}
