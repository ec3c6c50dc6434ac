/* SPDX-License-Identifier: MIT */
/* What packets begin with: Ethernet with VLANs, loopback of BSD, raw IP. */
#include "packet/link.h"

#include "packet/arp.h"
#include "packet/cooked.h"
#include "packet/hexdump.h"
#include "packet/ipv4.h"
#include "packet/ipv6.h"
#include "packet/llc.h"
#include "packet/names.h"

#define ETHER_HEADER 14

static void push(struct packet *packet, void (*dissect)(struct packet *, const struct layer *),
                 uint32_t at, uint32_t length)
{
    packet_push(packet, &(struct layer){
                            .dissect = dissect, .at = at, .length = length, .end = packet->end});
}

bool link_push_type(struct packet *packet, uint16_t type, uint32_t at, uint32_t length)
{
    switch (type) {
    case ETHER_TYPE_IPV4:
        push(packet, ipv4_dissect, at, length);
        return true;
    case ETHER_TYPE_IPV6:
        push(packet, ipv6_dissect, at, length);
        return true;
    case ETHER_TYPE_ARP:
    case ETHER_TYPE_REVERSE_ARP:
        push(packet, arp_dissect, at, length);
        return true;
    default:
        return false;
    }
}

void link_put_vlan(struct packet *packet, uint16_t tag)
{
    packet_printf(packet, "vlan %u, p %u%s, ", tag & 0xfffu, tag >> 13u,
                  tag & 0x1000 ? ", DEI" : "");
}

/* --- Ethernet --- */

struct ether {
    uint32_t at; /* of what follows */
    uint32_t length, whole;
    uint32_t start;
    uint16_t type;
    bool length_put;
};

static void put_type(struct packet *packet, uint16_t type)
{
    if (packet->options->quiet) {
        packet_put_name(packet, ether_type_names, type, "Unknown Ethertype (0x%04x)");
        return;
    }
    packet_printf(packet, "ethertype %s (0x%04x)", number_name(ether_type_names, type, "Unknown"),
                  type);
}

static void put_macs(struct packet *packet, uint32_t start)
{
    packet_put_mac(packet, start + 6);
    packet_puts(packet, " > ");
    packet_put_mac(packet, start);
    packet_puts(packet, ", ");
}

/* "ethertype IPv4 (0x0800), length 74: ", the length only the first time. */
static void put_type_and_length(struct packet *packet, struct ether *ether)
{
    put_type(packet, ether->type);
    if (ether->length_put)
        packet_puts(packet, ", ");
    else
        packet_printf(packet, ", length %u: ", ether->whole);
    ether->length_put = true;
}

static bool is_vlan(uint16_t type)
{
    return type == ETHER_TYPE_VLAN || type == 0x9100 || type == 0x9200 || type == 0x88a8;
}

/* Where a frame of its own stands at the packet's begin, a dump leaves `length` bytes out. */
static void set_header(struct packet *packet, const struct ether *ether, uint32_t length)
{
    if (ether->start == 0)
        packet->link_length = length;
}

static bool skip_vlans(struct packet *packet, struct ether *ether)
{
    while (is_vlan(ether->type)) {
        if (!packet_has(packet, ether->at, 4)) {
            packet->protocol = "vlan";
            packet_put_missing(packet);
            set_header(packet, ether, packet->end);
            return false;
        }
        if (packet->options->link_header) {
            put_type_and_length(packet, ether);
            link_put_vlan(packet, packet_u16(packet, ether->at));
        }
        ether->type = packet_u16(packet, ether->at + 2);
        ether->at += 4;
        ether->length -= 4;
    }
    return true;
}

static void dissect_llc(struct packet *packet, struct ether *ether)
{
    uint32_t header;

    if (ether->type < ether->length && ether->type != ETHER_TYPE_JUMBO)
        ether->length = ether->type;
    if (ether->type != ETHER_TYPE_JUMBO) {
        packet_narrow(packet, ether->at, ether->length);
        if (packet->options->link_header) {
            packet_puts(packet, "802.3");
            if (!ether->length_put)
                packet_printf(packet, ", length %u: ", ether->length);
        }
    }
    llc_dissect(packet, ether->at, ether->length, ether->start, &header);
    set_header(packet, ether, ether->at - ether->start + header);
}

void ether_dissect(struct packet *packet, const struct layer *layer)
{
    struct ether ether = {.at = layer->at + ETHER_HEADER,
                          .length = layer->length - ETHER_HEADER,
                          .whole = layer->length,
                          .start = layer->at};

    packet->protocol = "ether";
    if (packet_left(packet, layer->at) < ETHER_HEADER) {
        packet_put_missing(packet);
        set_header(packet, &ether, packet->end);
        return;
    }
    if (packet->options->link_header)
        put_macs(packet, layer->at);
    ether.type = packet_u16(packet, layer->at + 12);
    if (!skip_vlans(packet, &ether))
        return;
    if (ether.type <= ETHER_LENGTH_MAX || ether.type == ETHER_TYPE_JUMBO) {
        dissect_llc(packet, &ether);
        return;
    }
    if (packet->options->link_header)
        put_type_and_length(packet, &ether);
    set_header(packet, &ether, ether.at - ether.start);
    if (link_push_type(packet, ether.type, ether.at, ether.length))
        return;
    if (!packet->options->link_header) {
        put_macs(packet, layer->at);
        ether.length_put = false;
        put_type_and_length(packet, &ether);
    }
    hexdump_put_unknown(packet, ether.at, packet_left(packet, ether.at));
}

/* --- loopback of BSD --- */

static const struct number_name bsd_family_names[] = {
    {2, "IPv4"},  {6, "NS"},    {7, "ISO"},   {16, "Appletalk"}, {23, "IPX"},
    {24, "IPv6"}, {28, "IPv6"}, {30, "IPv6"}, {0, NULL},
};

static void put_family(struct packet *packet, uint32_t family, uint32_t length)
{
    if (packet->options->quiet)
        packet_put_name(packet, bsd_family_names, family, "Unknown AF %u");
    else
        packet_printf(packet, "AF %s (%u)", number_name(bsd_family_names, family, "Unknown"),
                      family);
    packet_printf(packet, ", length %u: ", length);
}

static void null_dissect(struct packet *packet, const struct layer *layer)
{
    uint32_t family;

    packet->protocol = "null";
    if (!packet_need(packet, 0, 4))
        return;
    packet->link_length = 4;
    /* In the order of the host that captured it: families are small. */
    family = packet_u32(packet, 0);
    if (family & 0xffff0000)
        family = __builtin_bswap32(family);
    if (packet->options->link_header)
        put_family(packet, family, layer->length);
    if (family == 2) {
        push(packet, ipv4_dissect, 4, layer->length - 4);
    } else if (family == 24 || family == 28 || family == 30) {
        push(packet, ipv6_dissect, 4, layer->length - 4);
    } else {
        if (!packet->options->link_header)
            put_family(packet, family, layer->length);
        hexdump_put_unknown(packet, 4, packet_left(packet, 4));
    }
}

/* --- nothing, but IP --- */

static void raw_dissect(struct packet *packet, const struct layer *layer)
{
    uint8_t version;

    packet->protocol = "raw";
    if (packet->options->link_header)
        packet_puts(packet, "ip: ");
    packet->protocol = "ipn";
    version = packet_u8(packet, 0) >> 4;
    if (version == 4)
        push(packet, ipv4_dissect, 0, layer->length);
    else if (version == 6)
        push(packet, ipv6_dissect, 0, layer->length);
    else
        packet_printf(packet, "unknown ip %u", version);
}

static void unknown_dissect(struct packet *packet, const struct layer *layer)
{
    (void)layer;
    packet->protocol = "unsupported";
    packet_puts(packet, "UNSUPPORTED");
    hexdump_put_ascii(packet, "\n\t", 0, packet->end);
}

void link_begin(struct packet *packet, int link_type, struct layer *layer)
{
    static const struct {
        int type; /* DLT_ of pcap/dlt.h */
        void (*dissect)(struct packet *packet, const struct layer *layer);
    } links[] = {
        {0, null_dissect},  {1, ether_dissect}, {12, raw_dissect},  {108, null_dissect},
        {113, sll_dissect}, {228, raw_dissect}, {229, raw_dissect}, {276, sll2_dissect},
    };

    layer->dissect = unknown_dissect;
    for (uint32_t i = 0; i < ARRAY_SIZE(links); i++)
        if (links[i].type == link_type)
            layer->dissect = links[i].dissect;
    packet_push(packet, layer);
}
