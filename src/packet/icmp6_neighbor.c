/* SPDX-License-Identifier: MIT */
/* Neighbor discovery: RFC 4861, RFC 4191, RFC 8106, RFC 6275. */
#include "packet/dns.h"
#include "packet/hexdump.h"
#include "packet/icmp6.h"
#include "packet/names.h"

#include <netinet/in.h>

enum option {
    SOURCE_LINK = 1,
    TARGET_LINK = 2,
    PREFIX = 3,
    REDIRECTED = 4,
    MTU = 5,
    INTERVAL = 7,
    HOME_AGENT = 8,
    ROUTE = 24,
    DNS_SERVERS = 25,
    DNS_SEARCH = 31,
};

static const struct number_name option_names[] = {
    {SOURCE_LINK, "source link-address"},
    {TARGET_LINK, "destination link-address"},
    {PREFIX, "prefix info"},
    {REDIRECTED, "redirected header"},
    {MTU, "mtu"},
    {DNS_SERVERS, "rdnss"},
    {DNS_SEARCH, "dnssl"},
    {INTERVAL, "advertisement interval"},
    {HOME_AGENT, "homeagent information"},
    {ROUTE, "route info"},
    {0, NULL},
};

static const struct number_name prefix_flags[] = {
    {0x80, "onlink"}, {0x40, "auto"}, {0x20, "router"}, {0, NULL}};

static const struct number_name router_flags[] = {{0x80, "managed"},
                                                  {0x40, "other stateful"},
                                                  {0x20, "home agent"},
                                                  {0x02, "ipv6 only"},
                                                  {0, NULL}};

static const struct number_name neighbor_flags[] = {
    {0x80000000, "router"}, {0x40000000, "solicited"}, {0x20000000, "override"}, {0, NULL}};

static const char *preference(uint8_t flags)
{
    static const char *const names[] = {"medium", "high", "rsv", "low"};

    return names[flags >> 3 & 3];
}

static void put_lifetime(struct packet *packet, const char *title, uint32_t seconds)
{
    packet_puts(packet, title);
    if (seconds == UINT32_MAX)
        packet_puts(packet, "infinity");
    else
        packet_printf(packet, "%us", seconds);
}

/* An option and the first of them, whose `size` counts 8 bytes. */
struct neighbor_option {
    uint32_t at, first;
    uint8_t type, size;
};

static void put_prefix(struct packet *packet, const struct neighbor_option *option)
{
    if (!packet_need(packet, option->at, 32))
        return;
    packet_put_ipv6(packet, option->at + 16);
    packet_printf(packet, "/%u%s, Flags [", packet_u8(packet, option->at + 2),
                  option->size != 4 ? "badlen" : "");
    packet_put_flags(packet, prefix_flags, packet_u8(packet, option->at + 3), ", ");
    put_lifetime(packet, "], valid time ", packet_u32(packet, option->at + 4));
    put_lifetime(packet, ", pref. time ", packet_u32(packet, option->at + 8));
}

static void put_servers(struct packet *packet, const struct neighbor_option *option)
{
    packet_printf(packet, " lifetime %us,", packet_u32(packet, option->at + 4));
    for (uint32_t i = 0; i < (option->size - 1u) / 2; i++) {
        if (!packet_need(packet, option->at + 8 + 16 * i, 16))
            return;
        packet_puts(packet, " addr: ");
        packet_put_ipv6(packet, option->at + 8 + 16 * i);
    }
}

static bool put_domains(struct packet *packet, const struct neighbor_option *option)
{
    uint32_t at = option->at + 8, end = option->at + option->size * 8u;

    packet_printf(packet, " lifetime %us, domain(s):", packet_u32(packet, option->at + 4));
    while (at < end && packet_u8(packet, at) != 0) {
        packet_puts(packet, " ");
        at = dns_put_name(packet, at, option->first);
        if (!at)
            return false;
    }
    return true;
}

static bool put_route(struct packet *packet, const struct neighbor_option *option)
{
    uint8_t address[16] = {0};

    if (option->size > 3)
        return false;
    memcpy(address, packet->bytes + option->at + 8, (option->size - 1u) * 8);
    packet_puts(packet, " ");
    packet_put_address(packet, AF_INET6, address);
    packet_printf(packet, "/%u, pref=%s", packet_u8(packet, option->at + 2),
                  preference(packet_u8(packet, option->at + 3)));
    put_lifetime(packet, ", lifetime=", packet_u32(packet, option->at + 4));
    return true;
}

/* All its bytes are there. False: it is broken. */
static bool put_option(struct packet *packet, const struct neighbor_option *option)
{
    const uint32_t at = option->at;

    switch (option->type) {
    case SOURCE_LINK:
    case TARGET_LINK:
        packet_put_bytes(packet, at + 2, option->size * 8u - 2);
        return true;
    case PREFIX:
        put_prefix(packet, option);
        return true;
    case REDIRECTED: /* tcpdump shows the first option instead */
        hexdump_put_some(packet, "\n\t    ", option->first, option->size * 8u);
        return true;
    case MTU:
        packet_printf(packet, " %u%s", packet_u32(packet, at + 4),
                      option->size != 1 ? "bad option length" : "");
        return true;
    case DNS_SERVERS:
        put_servers(packet, option);
        return true;
    case DNS_SEARCH:
        return put_domains(packet, option);
    case INTERVAL:
        packet_printf(packet, " %ums", packet_u32(packet, at + 4));
        return true;
    case HOME_AGENT:
        packet_printf(packet, " preference %u, lifetime %u", packet_u16(packet, at + 4),
                      packet_u16(packet, at + 6));
        return true;
    case ROUTE:
        return put_route(packet, option);
    default:
        return true;
    }
}

/* Options from `at` on, as far as the message goes. False: they are broken, or bytes are missing.
 */
static bool put_each_option(struct packet *packet, uint32_t at, uint32_t end)
{
    struct neighbor_option option = {.first = at};

    while (at < packet->end && !packet->cut) {
        uint32_t size;

        if (!packet_has(packet, at, 2))
            return false;
        if (at >= end)
            return true;
        option.at = at;
        option.type = packet_u8(packet, at);
        option.size = packet_u8(packet, at + 1);
        size = option.size * 8u;
        if (size == 0 || !packet_has(packet, at, size))
            return false;
        packet_printf(packet, "\n\t  %s option (%u), length %u (%u): ",
                      number_name(option_names, option.type, "unknown"), option.type, size,
                      option.size);
        if (!put_option(packet, &option))
            return false;
        if (packet->options->verbose > 1) {
            hexdump_put_some(packet, "\n\t    ", at + 2, size - 2);
        } else if (!number_name(option_names, option.type, NULL)) {
            hexdump_put_some(packet, "\n\t  ", at + 2, size - 2);
            return true;
        }
        at += size;
    }
    return true;
}

static void put_router(struct packet *packet, uint32_t at)
{
    if (!packet_need(packet, at + 4, 12))
        return;
    packet_printf(packet, "\n\thop limit %u, Flags [", packet_u8(packet, at + 4));
    packet_put_flags(packet, router_flags, packet_u8(packet, at + 5), ", ");
    packet_printf(packet,
                  "], pref %s, router lifetime %us, reachable time %ums, retrans timer %ums",
                  preference(packet_u8(packet, at + 5)), packet_u16(packet, at + 6),
                  packet_u32(packet, at + 8), packet_u32(packet, at + 12));
}

static void put_address(struct packet *packet, const char *title, uint32_t at)
{
    if (!packet_need(packet, at, 16))
        return;
    packet_puts(packet, title);
    packet_put_ipv6(packet, at);
}

static void put_mobile_prefix(struct packet *packet, uint32_t at)
{
    uint16_t flags;

    packet_printf(packet, ", id 0x%04x", packet_u16(packet, at + 4));
    flags = packet_u16(packet, at + 6);
    packet_printf(packet, "%s%s%s", flags & 0xc000 ? " " : "", flags & 0x8000 ? "M" : "",
                  flags & 0x4000 ? "O" : "");
}

/* The part before the options, and how long it is. */
static uint32_t put_fixed(struct packet *packet, uint8_t type, uint32_t at)
{
    bool verbose = packet->options->verbose > 0;

    switch (type) {
    case ICMP6_ROUTER_ADVERTISEMENT:
        if (verbose)
            put_router(packet, at);
        return 16;
    case ICMP6_NEIGHBOR_SOLICITATION:
        put_address(packet, ", who has ", at + 8);
        return 24;
    case ICMP6_NEIGHBOR_ADVERTISEMENT:
        put_address(packet, ", tgt is ", at + 8);
        if (verbose) {
            packet_puts(packet, ", Flags [");
            packet_put_flags(packet, neighbor_flags, packet_u32(packet, at + 4), ", ");
            packet_puts(packet, "]");
        }
        return 24;
    case ICMP6_REDIRECT:
        put_address(packet, ", ", at + 24);
        put_address(packet, " to ", at + 8);
        return 40;
    case ICMP6_PREFIX_ADVERTISEMENT:
        if (verbose)
            put_mobile_prefix(packet, at);
        return 8;
    default:
        return 8;
    }
}

void icmp6_put_neighbor(struct packet *packet, uint8_t type, uint32_t at, uint32_t length)
{
    uint32_t fixed = put_fixed(packet, type, at);

    if (packet->options->verbose > 0 && !put_each_option(packet, at + fixed, at + length))
        packet_end(packet);
}
