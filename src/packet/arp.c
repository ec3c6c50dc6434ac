/* SPDX-License-Identifier: MIT */
/* ARP and reverse ARP: RFC 826, RFC 903, RFC 2390. */
#include "packet/arp.h"

#include "packet/hexdump.h"
#include "packet/link.h"
#include "packet/names.h"

#define HEADER 8

enum operation {
    REQUEST = 1,
    REPLY = 2,
    REVERSE_REQUEST = 3,
    REVERSE_REPLY = 4,
    INVERSE_REQUEST = 8,
    INVERSE_REPLY = 9,
};

static const struct number_name operation_names[] = {
    {REQUEST, "Request"},
    {REPLY, "Reply"},
    {REVERSE_REQUEST, "Reverse Request"},
    {REVERSE_REPLY, "Reverse Reply"},
    {INVERSE_REQUEST, "Inverse Request"},
    {INVERSE_REPLY, "Inverse Reply"},
    {10, "NACK Reply"},
    {0, NULL},
};

static const struct number_name hardware_names[] = {
    {1, "Ethernet"},   {6, "TokenRing"}, {7, "ArcNet"},      {15, "FrameRelay"}, {23, "Strip"},
    {24, "IEEE 1394"}, {19, "ATM"},      {32, "InfiniBand"}, {0, NULL},
};

struct arp {
    uint16_t protocol;
    uint8_t hardware_length, address_length;
    uint32_t sender, sender_address, target, target_address; /* where they are */
};

static bool is_ip(const struct arp *arp)
{
    return arp->protocol == ETHER_TYPE_IPV4 || arp->protocol == ETHER_TYPE_TRAIL;
}

static void put_address(struct packet *packet, const struct arp *arp, uint32_t at)
{
    if (!is_ip(arp))
        packet_puts(packet, "<wrong proto type>");
    else if (arp->address_length != 4)
        packet_puts(packet, "<wrong len>");
    else
        packet_put_ipv4(packet, at);
}

static void put_hardware(struct packet *packet, const struct arp *arp, uint32_t at)
{
    if (arp->hardware_length == 0)
        packet_puts(packet, "<empty>");
    else if (arp->hardware_length == 6)
        packet_put_mac(packet, at);
    else
        packet_put_bytes(packet, at, arp->hardware_length);
}

static bool is_zero(const struct packet *packet, uint32_t at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (packet->bytes[at + i])
            return false;
    return true;
}

static void put_request(struct packet *packet, const struct arp *arp)
{
    packet_puts(packet, "who-has ");
    put_address(packet, arp, arp->target_address);
    if (!is_zero(packet, arp->target, arp->hardware_length)) {
        packet_puts(packet, " (");
        put_hardware(packet, arp, arp->target);
        packet_puts(packet, ")");
    }
    packet_puts(packet, " tell ");
    put_address(packet, arp, arp->sender_address);
}

/* False: no such operation. */
static bool put_operation(struct packet *packet, const struct arp *arp, uint16_t operation)
{
    switch (operation) {
    case REQUEST:
        put_request(packet, arp);
        return true;
    case REPLY:
        put_address(packet, arp, arp->sender_address);
        packet_puts(packet, " is-at ");
        put_hardware(packet, arp, arp->sender);
        return true;
    case REVERSE_REQUEST:
    case INVERSE_REQUEST:
        packet_puts(packet, "who-is ");
        put_hardware(packet, arp, arp->target);
        packet_puts(packet, " tell ");
        put_hardware(packet, arp, arp->sender);
        return true;
    case REVERSE_REPLY:
        put_hardware(packet, arp, arp->target);
        packet_puts(packet, " at ");
        put_address(packet, arp, arp->target_address);
        return true;
    case INVERSE_REPLY:
        put_hardware(packet, arp, arp->sender);
        packet_puts(packet, " at ");
        put_address(packet, arp, arp->sender_address);
        return true;
    default:
        return false;
    }
}

void arp_dissect(struct packet *packet, const struct layer *layer)
{
    const uint32_t at = layer->at;
    bool verbose = packet->options->verbose > 0, shown = true;
    struct arp arp;
    uint16_t operation;

    packet->protocol = "arp";
    if (!packet_need(packet, at, HEADER))
        return;
    arp.protocol = packet_u16(packet, at + 2);
    arp.hardware_length = packet_u8(packet, at + 4);
    arp.address_length = packet_u8(packet, at + 5);
    arp.sender = at + HEADER;
    arp.sender_address = arp.sender + arp.hardware_length;
    arp.target = arp.sender_address + arp.address_length;
    arp.target_address = arp.target + arp.hardware_length;
    operation = packet_u16(packet, at + 6);
    if (!packet_need(packet, arp.target_address, arp.address_length))
        return;
    if (!packet->options->link_header)
        packet_puts(packet, "ARP, ");
    if (!is_ip(&arp) || arp.address_length != 4 || arp.hardware_length == 0 || verbose) {
        packet_put_name(packet, hardware_names, packet_u16(packet, at), "Unknown Hardware (%u)");
        packet_printf(packet, " (len %u), ", arp.hardware_length);
        packet_put_name(packet, ether_type_names, arp.protocol, "Unknown Protocol (0x%04x)");
        packet_printf(packet, " (len %u)", arp.address_length);
        shown = verbose;
    }
    if (shown) {
        packet_puts(packet, verbose ? ", " : "");
        packet_put_name(packet, operation_names, operation, "Unknown (%u)");
        packet_puts(packet, " ");
        if (!put_operation(packet, &arp, operation)) {
            hexdump_put_ascii(packet, "\n\t", at, packet_left(packet, at));
            return;
        }
    }
    packet_printf(packet, ", length %u", layer->length);
}
