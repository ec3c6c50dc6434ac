/* SPDX-License-Identifier: MIT */
/* Linux' cooked captures: LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2. */
#include "packet/cooked.h"

#include "packet/hexdump.h"
#include "packet/link.h"
#include "packet/llc.h"
#include "packet/names.h"

#define SLL_HEADER 16
#define SLL2_HEADER 20
#define TYPE_802_3 1
#define TYPE_802_2 4

static const struct number_name direction_names[] = {{0, "In"}, {1, "B"},   {2, "M"},
                                                     {3, "P"},  {4, "Out"}, {0, NULL}};

struct cooked {
    uint32_t header, length;
    uint16_t type;
    bool has_mac;
    uint32_t mac;
    uint32_t interface; /* 0: it does not say */
    uint8_t direction;
};

static void put_header(struct packet *packet, const struct cooked *cooked, uint32_t length)
{
    if (cooked->header == SLL2_HEADER)
        packet_printf(packet, "ifindex %u ", cooked->interface);
    else
        packet_printf(packet, "%3s ", number_name(direction_names, cooked->direction, "?"));
    if (cooked->has_mac) {
        packet_put_mac(packet, cooked->mac);
        packet_puts(packet, " ");
    }
    if (packet->options->quiet)
        return;
    if (cooked->type == TYPE_802_3)
        packet_puts(packet, "802.3");
    else if (cooked->type == TYPE_802_2)
        packet_puts(packet, "802.2");
    else
        packet_printf(packet, "ethertype %s (0x%04x)",
                      cooked->type <= ETHER_LENGTH_MAX
                          ? "Unknown"
                          : number_name(ether_type_names, cooked->type, "Unknown"),
                      cooked->type);
    packet_printf(packet, ", length %u: ", length);
}

/* What is behind VLANs; false when that ended the packet. */
static bool skip_vlans(struct packet *packet, uint32_t *at, uint16_t *type)
{
    while (*type == ETHER_TYPE_VLAN) {
        if (!packet_has(packet, *at, 4)) {
            packet->protocol = "vlan";
            packet_put_missing(packet);
            packet->link_length = packet->end;
            return false;
        }
        if (packet->options->link_header)
            link_put_vlan(packet, packet_u16(packet, *at));
        *type = packet_u16(packet, *at + 2);
        if (*type <= ETHER_LENGTH_MAX)
            *type = TYPE_802_2;
        if (!packet->options->quiet)
            packet_printf(packet, "ethertype %s, ",
                          number_name(ether_type_names, *type, "Unknown"));
        *at += 4;
    }
    return true;
}

static void dissect_payload(struct packet *packet, const struct cooked *cooked)
{
    uint32_t at = cooked->header, header;
    uint16_t type = cooked->type;

    if (!skip_vlans(packet, &at, &type))
        return;
    packet->link_length = at;
    if (type == TYPE_802_2) {
        if (llc_dissect(packet, at, cooked->length - at, LLC_NO_MACS, &header))
            packet->link_length += header;
        return;
    }
    if (type > ETHER_LENGTH_MAX) {
        if (link_push_type(packet, type, at, cooked->length - at))
            return;
        if (!packet->options->link_header)
            put_header(packet, cooked, cooked->length - (at - cooked->header));
    }
    hexdump_put_unknown(packet, at, packet_left(packet, at));
}

void sll_dissect(struct packet *packet, const struct layer *layer)
{
    struct cooked cooked = {.header = SLL_HEADER, .length = layer->length, .mac = 6};

    packet->protocol = "sll";
    if (!packet_need(packet, 0, SLL_HEADER))
        return;
    cooked.direction = packet_u16(packet, 0) > 255 ? 255 : packet_u8(packet, 1);
    cooked.has_mac = packet_u16(packet, 4) == 6;
    cooked.type = packet_u16(packet, 14);
    if (packet->options->link_header)
        put_header(packet, &cooked, cooked.length);
    dissect_payload(packet, &cooked);
}

static void put_interface(struct packet *packet, uint32_t index)
{
    const struct packet_options *options = packet->options;
    size_t before = packet->out->length, width;

    if (!options->put_interface || !options->put_interface(options->names, packet->out, index))
        packet_puts(packet, "?");
    width = packet->out->length - before;
    buf_pad(packet->out, width < 5 ? 6 - width : 1);
}

void sll2_dissect(struct packet *packet, const struct layer *layer)
{
    struct cooked cooked = {.header = SLL2_HEADER, .length = layer->length, .mac = 12};

    packet->protocol = "sll2";
    if (!packet_need(packet, 0, SLL2_HEADER))
        return;
    cooked.type = packet_u16(packet, 0);
    cooked.interface = packet_u32(packet, 4);
    cooked.direction = packet_u8(packet, 10);
    cooked.has_mac = packet_u8(packet, 11) == 6;
    put_interface(packet, cooked.interface);
    packet_printf(packet, "%-3s ", number_name(direction_names, cooked.direction, "?"));
    if (packet->options->link_header)
        put_header(packet, &cooked, cooked.length);
    dissect_payload(packet, &cooked);
}
