/* SPDX-License-Identifier: MIT */
/* ICMPv6: errors and echo, RFC 4443; mobility, RFC 6275. */
#include "packet/icmp6.h"

#include "packet/checksum.h"
#include "packet/hexdump.h"
#include "packet/names.h"

#include <netinet/in.h>

#define QUOTE 8 /* where an error has the packet that it is about */
#define IPV6_HEADER 40

enum unreachable { NO_ROUTE, PROHIBITED, BEYOND_SCOPE, ADDRESS, PORT };

static const struct number_name type_names[] = {
    {ICMP6_UNREACHABLE, "destination unreachable"},
    {ICMP6_TOO_BIG, "packet too big"},
    {ICMP6_TIME_EXCEEDED, "time exceeded in-transit"},
    {ICMP6_PARAMETER_PROBLEM, "parameter problem"},
    {ICMP6_ECHO_REQUEST, "echo request"},
    {ICMP6_ECHO_REPLY, "echo reply"},
    {ICMP6_LISTENER_QUERY, "multicast listener query"},
    {ICMP6_LISTENER_REPORT, "multicast listener report"},
    {ICMP6_LISTENER_DONE, "multicast listener done"},
    {ICMP6_ROUTER_SOLICITATION, "router solicitation"},
    {ICMP6_ROUTER_ADVERTISEMENT, "router advertisement"},
    {ICMP6_NEIGHBOR_SOLICITATION, "neighbor solicitation"},
    {ICMP6_NEIGHBOR_ADVERTISEMENT, "neighbor advertisement"},
    {ICMP6_REDIRECT, "redirect"},
    {138, "router renumbering"},
    {141, "inverse neighbor solicitation"},
    {142, "inverse neighbor advertisement"},
    {ICMP6_LISTENER_REPORT2, "multicast listener report v2"},
    {ICMP6_AGENTS_REQUEST, "ha discovery request"},
    {ICMP6_AGENTS_REPLY, "ha discovery reply"},
    {ICMP6_PREFIX_SOLICITATION, "mobile router solicitation"},
    {ICMP6_PREFIX_ADVERTISEMENT, "mobile router advertisement"},
    {139, "who-are-you request"},
    {140, "who-are-you reply"},
    {201, "mtrace message"},
    {200, "mtrace response"},
    {155, "RPL"},
    {0, NULL},
};

static const struct number_name unreachable_names[] = {
    {NO_ROUTE, "unreachable route"}, {PROHIBITED, " unreachable prohibited"},
    {BEYOND_SCOPE, "beyond scope"},  {ADDRESS, "unreachable address"},
    {PORT, "unreachable port"},      {0, NULL},
};

static const struct number_name problem_names[] = {{0, ", erroneous"},
                                                   {1, ", next header"},
                                                   {2, ", option"},
                                                   {3, ", incomplete header chain"},
                                                   {0, NULL}};

static void put_checksum(struct packet *packet, const struct layer *layer)
{
    uint16_t sum, found;

    if (packet->options->verbose == 0 || layer->fragment ||
        !packet_has(packet, layer->at, layer->length))
        return;
    found = packet_u16(packet, layer->at + 2);
    sum = checksum_of_upper(packet, layer->ip, IPPROTO_ICMPV6, layer->at, layer->length);
    if (sum != 0)
        packet_printf(packet, "[bad icmp6 cksum 0x%04x -> 0x%04x!] ", found,
                      checksum_right(found, sum));
    else
        packet_puts(packet, "[icmp6 sum ok] ");
}

/* --- errors --- */

/* Where the ports of the quoted packet are, 0 if that cannot be told. */
static uint32_t find_ports(struct packet *packet, uint32_t quote, uint8_t *ret_protocol)
{
    uint32_t at = quote + IPV6_HEADER;
    uint8_t next;

    if (!packet_has(packet, quote + 6, 1))
        return 0;
    next = packet_u8(packet, quote + 6);
    for (;;) {
        switch (next) {
        case IPPROTO_UDP:
        case IPPROTO_TCP:
            *ret_protocol = next;
            return packet_has(packet, at, 4) ? at : 0;
        case IPPROTO_HOPOPTS:
        case IPPROTO_DSTOPTS:
        case IPPROTO_ROUTING:
            if (!packet_has(packet, at, 2))
                return 0;
            next = packet_u8(packet, at);
            at += (packet_u8(packet, at + 1) + 1u) * 8;
            break;
        case IPPROTO_FRAGMENT:
            if (!packet_has(packet, at, 4) || packet_u16(packet, at + 2) & 0xfff8)
                return 0;
            next = packet_u8(packet, at);
            at += 8;
            break;
        case IPPROTO_AH:
            if (!packet_has(packet, at, 2))
                return 0;
            next = packet_u8(packet, at);
            at += (packet_u8(packet, at + 1) + 2u) * 4;
            break;
        default:
            return 0;
        }
    }
}

static void put_port(struct packet *packet, uint32_t quote)
{
    uint8_t protocol;
    uint32_t ports = find_ports(packet, quote, &protocol);

    if (!ports) {
        packet_end(packet);
        return;
    }
    if (!packet_need(packet, quote + 24, 16))
        return;
    packet_puts(packet, ", ");
    packet_put_ipv6(packet, quote + 24);
    packet_puts(packet, protocol == IPPROTO_TCP ? " tcp port " : " udp port ");
    packet_put_port(packet, protocol == IPPROTO_TCP, packet_u16(packet, ports + 2));
}

/* True: nothing comes behind it. */
static bool put_unreachable(struct packet *packet, const struct layer *layer, uint8_t code)
{
    uint32_t quote = layer->at + QUOTE;

    packet_puts(packet, ", ");
    packet_put_name(packet, unreachable_names, code, "unknown unreach code (%u)");
    if (code == PORT) {
        put_port(packet, quote);
    } else if (code < PORT) {
        if (!packet_need(packet, quote + 24, 16))
            return true;
        packet_puts(packet, " ");
        packet_put_ipv6(packet, quote + 24);
        if (code == BEYOND_SCOPE) {
            packet_puts(packet, ", source address ");
            packet_put_ipv6(packet, quote + 8);
        }
    } else if (packet->options->verbose <= 1) {
        hexdump_put_some(packet, "\n\t", layer->at, layer->length);
        return true;
    }
    return false;
}

static void put_exceeded(struct packet *packet, uint32_t at, uint8_t code)
{
    if (code == 0) {
        if (!packet_need(packet, at + QUOTE + 24, 16))
            return;
        packet_puts(packet, " for ");
        packet_put_ipv6(packet, at + QUOTE + 24);
    } else if (code == 1) {
        packet_puts(packet, " (reassembly)");
    } else {
        packet_printf(packet, ", unknown code (%u)", code);
    }
}

static void put_problem(struct packet *packet, uint32_t at, uint8_t code)
{
    if (!packet_expect(packet, at + QUOTE + 24, 16))
        return;
    packet_put_name(packet, problem_names, code, ", code-#%u");
    if (code <= 3)
        packet_printf(packet, " - octet %u", packet_u32(packet, at + 4));
}

/* --- mobility --- */

static void put_agents(struct packet *packet, const struct layer *layer)
{
    if (packet->options->verbose == 0)
        return;
    packet_printf(packet, ", id 0x%04x", packet_u16(packet, layer->at + 4));
    for (uint32_t i = QUOTE; i < layer->length && packet_need(packet, layer->at + i, 16); i += 16) {
        packet_puts(packet, ", ");
        packet_put_ipv6(packet, layer->at + i);
    }
}

/* True: nothing comes behind it. */
static bool put_message(struct packet *packet, const struct layer *layer, uint8_t type,
                        uint8_t code)
{
    const uint32_t at = layer->at;

    switch (type) {
    case ICMP6_UNREACHABLE:
        return put_unreachable(packet, layer, code);
    case ICMP6_TOO_BIG:
        packet_printf(packet, ", mtu %u", packet_u32(packet, at + 4));
        return false;
    case ICMP6_TIME_EXCEEDED:
        put_exceeded(packet, at, code);
        return false;
    case ICMP6_PARAMETER_PROBLEM:
        put_problem(packet, at, code);
        return false;
    case ICMP6_ECHO_REQUEST:
    case ICMP6_ECHO_REPLY:
        packet_printf(packet, ", id %u, seq %u", packet_u16(packet, at + 4),
                      packet_u16(packet, at + 6));
        return false;
    case ICMP6_LISTENER_QUERY:
    case ICMP6_LISTENER_REPORT:
    case ICMP6_LISTENER_DONE:
    case ICMP6_LISTENER_REPORT2:
        icmp6_put_listener(packet, type, at, layer->length);
        return false;
    case ICMP6_ROUTER_SOLICITATION:
    case ICMP6_ROUTER_ADVERTISEMENT:
    case ICMP6_NEIGHBOR_SOLICITATION:
    case ICMP6_NEIGHBOR_ADVERTISEMENT:
    case ICMP6_REDIRECT:
    case ICMP6_PREFIX_ADVERTISEMENT:
        icmp6_put_neighbor(packet, type, at, layer->length);
        return false;
    case ICMP6_PREFIX_SOLICITATION:
    case ICMP6_AGENTS_REQUEST:
        packet_printf(packet, ", id 0x%04x", packet_u16(packet, at + 4));
        return false;
    case ICMP6_AGENTS_REPLY:
        put_agents(packet, layer);
        return false;
    case 138 ... 142: /* renumbering, node information, inverse neighbors: no more than the name */
    case 155:
        return false;
    default:
        packet_printf(packet, ", length %u", layer->length);
        if (packet->options->verbose <= 1)
            hexdump_put_some(packet, "\n\t", at, layer->length);
        return true;
    }
}

/* Those that say more with -v have their length first. */
static bool has_length_first(uint8_t type)
{
    return (type >= ICMP6_ROUTER_SOLICITATION && type <= ICMP6_REDIRECT) ||
           type == ICMP6_AGENTS_REPLY || type == ICMP6_PREFIX_ADVERTISEMENT;
}

void icmp6_dissect(struct packet *packet, const struct layer *layer)
{
    bool verbose = packet->options->verbose > 0;
    uint8_t type, code;

    packet->protocol = "icmp6";
    if (layer->length == 0) {
        packet_puts(packet, "ICMP6, length 0");
        packet_put_invalid(packet);
        return;
    }
    put_checksum(packet, layer);
    type = packet_u8(packet, layer->at);
    packet_puts(packet, "ICMP6, ");
    packet_put_name(packet, type_names, type, "unknown icmp6 type (%u)");
    if (verbose && has_length_first(type))
        packet_printf(packet, ", length %u", layer->length);
    code = packet_u8(packet, layer->at + 1);
    if (!put_message(packet, layer, type, code) && !verbose) {
        packet_puts(packet, ", length ");
        packet_put_uint(packet, layer->length);
    }
}
