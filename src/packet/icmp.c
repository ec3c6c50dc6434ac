/* SPDX-License-Identifier: MIT */
/* ICMP: RFC 792, RFC 950, RFC 1191, RFC 1256. */
#include "packet/icmp.h"

#include "packet/checksum.h"
#include "packet/ipv4.h"
#include "packet/names.h"

#include <netinet/in.h>

#define QUOTE 8       /* where an error has the packet that it is about */
#define EXTENSION 136 /* where it has more, RFC 4884 section 5.5 */

enum type {
    ECHO_REPLY = 0,
    UNREACHABLE = 3,
    SOURCE_QUENCH = 4,
    REDIRECT = 5,
    ECHO = 8,
    ROUTER_ADVERTISEMENT = 9,
    TIME_EXCEEDED = 11,
    PARAMETER_PROBLEM = 12,
    TIMESTAMP = 13,
    TIMESTAMP_REPLY = 14,
    MASK_REPLY = 18,
};

enum unreachable {
    PROTOCOL = 2,
    PORT = 3,
    FRAGMENTATION_NEEDED = 4,
};

static const struct number_name type_names[] = {
    {SOURCE_QUENCH, "source quench"}, {10, "router solicitation"},  {15, "information request"},
    {16, "information reply"},        {17, "address mask request"}, {0, NULL},
};

/* What stands before and behind the address. */
static const struct {
    const char *before, *behind;
} unreachable_texts[] = {
    [0] = {"net ", " unreachable"},
    [1] = {"host ", " unreachable"},
    [5] = {"", " unreachable - source route failed"},
    [6] = {"net ", " unreachable - unknown"},
    [7] = {"host ", " unreachable - unknown"},
    [8] = {"", " unreachable - source host isolated"},
    [9] = {"net ", " unreachable - admin prohibited"},
    [10] = {"host ", " unreachable - admin prohibited"},
    [11] = {"net ", " unreachable - tos prohibited"},
    [12] = {"host ", " unreachable - tos prohibited"},
    [13] = {"host ", " unreachable - admin prohibited filter"},
    [14] = {"host ", " unreachable - host precedence violation"},
    [15] = {"host ", " unreachable - precedence cutoff"},
};

static const char begin[] = "ICMP ";

static void put_port_unreachable(struct packet *packet, uint32_t quote)
{
    uint8_t protocol = packet_u8(packet, quote + 9);
    uint32_t ports = quote + (packet_u8(packet, quote) & 15) * 4u;
    uint16_t port = packet_u16(packet, ports + 2);

    if (!packet_need(packet, quote + 16, 4))
        return;
    packet_puts(packet, begin);
    packet_put_ipv4(packet, quote + 16);
    if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
        packet_puts(packet, protocol == IPPROTO_TCP ? " tcp port " : " udp port ");
    else
        packet_printf(packet, " protocol %u port ", protocol);
    if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
        packet_put_port(packet, protocol == IPPROTO_TCP, port);
    else
        packet_put_uint(packet, port);
    packet_puts(packet, " unreachable");
}

static void put_unreachable(struct packet *packet, uint32_t at, uint8_t code)
{
    uint32_t quote = at + QUOTE;
    uint16_t mtu = code == FRAGMENTATION_NEEDED ? packet_u16(packet, at + 6) : 0;

    if (code == PORT) {
        if (packet_expect(packet, quote + 9, 1))
            put_port_unreachable(packet, quote);
        return;
    }
    if ((code == PROTOCOL && !packet_need(packet, quote + 9, 1)) ||
        !packet_need(packet, quote + 16, 4))
        return;
    packet_puts(packet, begin);
    if (code == PROTOCOL) {
        packet_put_ipv4(packet, quote + 16);
        packet_printf(packet, " protocol %u unreachable", packet_u8(packet, quote + 9));
    } else if (code == FRAGMENTATION_NEEDED) {
        packet_put_ipv4(packet, quote + 16);
        packet_puts(packet, " unreachable - need to frag");
        if (mtu)
            packet_printf(packet, " (mtu %u)", mtu);
    } else if (code < ARRAY_SIZE(unreachable_texts)) {
        packet_puts(packet, unreachable_texts[code].before);
        packet_put_ipv4(packet, quote + 16);
        packet_puts(packet, unreachable_texts[code].behind);
    } else {
        packet_put_ipv4(packet, quote + 16);
        packet_printf(packet, " unreachable - #%u", code);
    }
}

static void put_redirect(struct packet *packet, uint32_t at, uint8_t code)
{
    if (!packet_need(packet, at + QUOTE + 16, 4))
        return;
    packet_puts(packet, begin);
    if (code > 3)
        packet_printf(packet, "redirect-#%u ", code);
    else
        packet_puts(packet, code > 1 ? "redirect-tos " : "redirect ");
    packet_put_ipv4(packet, at + QUOTE + 16);
    packet_puts(packet, code > 3 ? " to " : code % 2 ? " to host " : " to net ");
    packet_put_ipv4(packet, at + 4);
}

static void put_lifetime(struct packet *packet, uint16_t seconds)
{
    if (seconds < 60)
        packet_printf(packet, "%u", seconds);
    else if (seconds < 3600)
        packet_printf(packet, "%u:%02u", seconds / 60u, seconds % 60u);
    else
        packet_printf(packet, "%u:%02u:%02u", seconds / 3600u, seconds % 3600u / 60u,
                      seconds % 60u);
}

static void put_routers(struct packet *packet, uint32_t at)
{
    uint8_t count, size;

    if (!packet_expect(packet, at + 4, 4))
        return;
    count = packet_u8(packet, at + 4);
    size = packet_u8(packet, at + 5);
    if (size == 2 && !packet_expect(packet, at + 8, count * 8u))
        return;
    packet_puts(packet, begin);
    packet_puts(packet, "router advertisement lifetime ");
    put_lifetime(packet, packet_u16(packet, at + 6));
    packet_printf(packet, " %u:", count);
    if (size != 2) {
        packet_printf(packet, " [size %u]", size);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        packet_puts(packet, " {");
        packet_put_ipv4(packet, at + 8 + i * 8);
        packet_printf(packet, " %u}", packet_u32(packet, at + 12 + i * 8));
    }
}

/* Milliseconds since midnight. */
static void put_time(struct packet *packet, const char *title, uint32_t ms)
{
    uint32_t seconds = ms / 1000;

    packet_printf(packet, "%s%02u:%02u:%02u.%03u", title, seconds / 3600, seconds % 3600 / 60,
                  seconds % 60, ms % 1000);
}

static void put_timestamps(struct packet *packet, uint32_t at)
{
    if (!packet_expect(packet, at + 16, 4))
        return;
    packet_printf(packet, "ICMP time stamp reply id %u seq %u", packet_u16(packet, at + 4),
                  packet_u16(packet, at + 6));
    put_time(packet, ": org ", packet_u32(packet, at + 8));
    put_time(packet, ", recv ", packet_u32(packet, at + 12));
    put_time(packet, ", xmit ", packet_u32(packet, at + 16));
}

static void put_exceeded(struct packet *packet, uint32_t at, uint8_t code)
{
    if (!packet_expect(packet, at + QUOTE + 16, 4))
        return;
    if (code == 0)
        packet_puts(packet, "ICMP time exceeded in-transit");
    else if (code == 1)
        packet_puts(packet, "ICMP ip reassembly time exceeded");
    else
        packet_printf(packet, "ICMP time exceeded-#%u", code);
}

static void put_message(struct packet *packet, uint32_t at, uint8_t type, uint8_t code)
{
    switch (type) {
    case ECHO:
    case ECHO_REPLY:
        packet_printf(packet, "ICMP echo %s, id %u, seq %u", type == ECHO ? "request" : "reply",
                      packet_u16(packet, at + 4), packet_u16(packet, at + 6));
        break;
    case UNREACHABLE:
        put_unreachable(packet, at, code);
        break;
    case REDIRECT:
        put_redirect(packet, at, code);
        break;
    case ROUTER_ADVERTISEMENT:
        put_routers(packet, at);
        break;
    case TIME_EXCEEDED:
        put_exceeded(packet, at, code);
        break;
    case PARAMETER_PROBLEM:
        packet_printf(
            packet, code ? "ICMP parameter problem - code %u" : "ICMP parameter problem - octet %u",
            code ? code : packet_u8(packet, at + 4));
        break;
    case MASK_REPLY:
        packet_printf(packet, "ICMP address mask is 0x%08x", packet_u32(packet, at + 8));
        break;
    case TIMESTAMP:
        packet_printf(packet, "ICMP time stamp query id %u seq %u", packet_u16(packet, at + 4),
                      packet_u16(packet, at + 6));
        break;
    case TIMESTAMP_REPLY:
        put_timestamps(packet, at);
        break;
    default:
        packet_puts(packet, begin);
        packet_put_name(packet, type_names, type, "type-#%u");
    }
}

static void put_checksum(struct packet *packet, const struct layer *layer)
{
    uint16_t sum, found;

    if (layer->fragment || !packet_has(packet, layer->at, layer->length))
        return;
    sum = checksum_of(packet, layer->at, layer->length);
    found = packet_u16(packet, layer->at + 2);
    if (sum != 0)
        packet_printf(packet, " (wrong icmp cksum %x (->%x)!)", found, checksum_right(found, sum));
}

/* The packet that an error is about, and what is behind it. */
static void push_quote(struct packet *packet, const struct layer *layer, uint8_t type)
{
    uint32_t quote = layer->at + QUOTE, said;
    struct layer next = *layer;

    next.end = packet->end;
    next.dissect = icmp_extension_dissect;
    if (layer->length > EXTENSION &&
        (type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM))
        packet_push(packet, &next);
    packet_puts(packet, "\n\t");
    said = packet_u16(packet, quote + 2);
    packet_narrow(packet, quote, said);
    if (!packet_need(packet, quote + 2, 2)) /* the length leaves itself out */
        return;
    packet->facts = NULL;
    next = (struct layer){.dissect = ipv4_dissect, .at = quote, .length = said, .end = packet->end};
    packet_push(packet, &next);
}

void icmp_dissect(struct packet *packet, const struct layer *layer)
{
    uint8_t type, code;

    packet->protocol = "icmp";
    type = packet_u8(packet, layer->at);
    code = packet_u8(packet, layer->at + 1);
    if (packet->cut)
        return;
    put_message(packet, layer->at, type, code);
    packet_puts(packet, ", length ");
    packet_put_uint(packet, layer->length);
    if (packet->options->verbose == 0 || packet->cut)
        return;
    put_checksum(packet, layer);
    if (type == UNREACHABLE || type == SOURCE_QUENCH || type == REDIRECT || type == TIME_EXCEEDED ||
        type == PARAMETER_PROBLEM)
        push_quote(packet, layer, type);
}
