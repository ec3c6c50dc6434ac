/* SPDX-License-Identifier: MIT */
/* IEEE 802.2: frames with a length where others have a type. */
#include "packet/llc.h"

#include "packet/hexdump.h"
#include "packet/ipv4.h"
#include "packet/link.h"
#include "packet/names.h"
#include "packet/vendor.h"

#define SAP_IP 0x06
#define SAP_SNAP 0xaa
#define UNNUMBERED_INFORMATION 0x03
#define EXCHANGE_ID 0xaf
#define POLL 0x10

static const struct number_name sap_names[] = {
    {0x00, "Null"},  {0xff, "Global"},  {0x02, "802.1B I"},  {0x03, "802.1B G"},
    {0x06, "IP"},    {0x04, "SNA"},     {0x0e, "ProWay NM"}, {0x42, "STP"},
    {0x4e, "RS511"}, {0x7e, "ISO8208"}, {0x8e, "ProWay"},    {0xaa, "SNAP"},
    {0xe0, "IPX"},   {0xf0, "NetBeui"}, {0xfe, "OSI"},       {0, NULL},
};

static const struct number_name command_names[] = {
    {0x03, "ui"},   {0x0f, "dm"},   {0x43, "disc"}, {0x63, "ua"}, {0x6f, "sabme"},
    {0x87, "frmr"}, {0xe3, "test"}, {0xaf, "xid"},  {0, NULL},
};

static const struct number_name supervisory_names[] = {
    {0, "Receiver Ready"}, {1, "Receiver not Ready"}, {2, "Reject"}, {0, NULL}};

static const struct number_name flag_names[] = {
    {0x00, "Command"}, {0x01, "Response"}, {0x10, "Poll"}, {0x11, "Final"}, {0, NULL}};

struct frame {
    uint32_t at, length, macs;
    uint8_t to, from; /* service access points, with the bits of group and response */
    uint16_t control;
    uint32_t header;
};

static bool is_numbered(const struct frame *frame)
{
    return frame->header == 4;
}

/* 0 is in the table, whose end is an entry of 0 without a name: number_name() finds the first. */
static const char *flag_name(uint32_t flags)
{
    return number_name(flag_names, flags, "?");
}

static void put_header(struct packet *packet, const struct frame *frame)
{
    uint32_t to = frame->to & ~1u, from = frame->from & ~1u;

    packet_printf(packet, "LLC, dsap %s (0x%02x) %s, ssap %s (0x%02x) %s",
                  number_name(sap_names, to, "Unknown"), to, frame->to & 1 ? "Group" : "Individual",
                  number_name(sap_names, from, "Unknown"), from,
                  frame->from & 1 ? "Response" : "Command");
    packet_printf(packet,
                  is_numbered(frame) ? ", ctrl 0x%04x: " : ", ctrl 0x%02x: ", frame->control);
}

/* --- SNAP: an Ethernet type after all --- */

static bool dissect_snap(struct packet *packet, const struct frame *frame)
{
    uint32_t at = frame->at + frame->header, length = frame->length - frame->header, vendor;
    bool is_ether;
    uint16_t type;

    packet->protocol = "snap";
    if (!packet_has(packet, at, 5) || length < 5) {
        packet_put_missing(packet);
        return true;
    }
    vendor = packet_u32(packet, at) >> 8;
    type = packet_u16(packet, at + 3);
    is_ether = vendor == 0 || vendor == 0xf8;
    if (packet->options->link_header)
        packet_printf(packet, "oui %s (0x%06x), %s %s (0x%04x), length %u: ",
                      vendor_name(vendor, "Unknown"), vendor, vendor == 0 ? "ethertype" : "pid",
                      is_ether ? number_name(ether_type_names, type, "Unknown") : "Unknown", type,
                      length - 5);
    if (is_ether && link_push_type(packet, type, at + 5, length - 5))
        return true;
    if (packet->options->link_header)
        return false;
    if (frame->macs != LLC_NO_MACS) {
        packet_put_mac(packet, frame->macs + 6);
        packet_puts(packet, " > ");
        packet_put_mac(packet, frame->macs);
        packet_puts(packet, " ");
    }
    if (vendor == 0)
        packet_printf(packet, "SNAP, ethertype %s (0x%04x), length %u: ",
                      number_name(ether_type_names, type, "Unknown"), type, length - 5);
    else
        packet_printf(packet, "SNAP, oui %s (0x%06x), pid %s (0x%04x), length %u: ",
                      vendor_name(vendor, "Unknown"), vendor,
                      is_ether ? number_name(ether_type_names, type, "Unknown") : "Unknown", type,
                      length - 5);
    return false;
}

/* --- the rest --- */

static void put_between(struct packet *packet, const struct frame *frame)
{
    uint32_t to = frame->to & ~1u, from = frame->from & ~1u;
    bool macs = frame->macs != LLC_NO_MACS;

    if (macs) {
        packet_put_mac(packet, frame->macs + 6);
        packet_puts(packet, " ");
    }
    if (from != to) {
        packet_put_name(packet, sap_names, from, "Unknown SSAP 0x%02x");
        packet_puts(packet, " > ");
    } else if (macs) {
        packet_puts(packet, "> ");
    }
    if (macs) {
        packet_put_mac(packet, frame->macs);
        packet_puts(packet, " ");
    }
    packet_put_name(packet, sap_names, to, "Unknown DSAP 0x%02x");
    packet_puts(packet, " ");
}

/* Returns whether there is nothing more to say of the frame. */
static bool put_identification(struct packet *packet, const struct frame *frame)
{
    uint32_t at = frame->at + frame->header, length = frame->length - frame->header;

    if ((frame->control & ~POLL) != EXCHANGE_ID)
        return false;
    if (length == 0)
        return true;
    if (!packet_has(packet, at, 1)) {
        packet_put_missing(packet);
        return true;
    }
    if (packet_u8(packet, at) != 0x81)
        return false;
    if (packet_has(packet, at, 3) && length >= 3) {
        packet_printf(packet, ": %02x %02x", packet_u8(packet, at + 1), packet_u8(packet, at + 2));
    } else {
        packet_put_missing(packet);
        hexdump_put_ascii(packet, "\n\t", at, packet_left(packet, at));
    }
    return true;
}

static void put_control(struct packet *packet, const struct frame *frame)
{
    uint32_t poll =
        is_numbered(frame) ? (frame->control & 0x0100 ? POLL : 0) : frame->control & POLL;
    const char *flags = flag_name((frame->from & 1u) | poll);

    if (!is_numbered(frame)) {
        packet_puts(packet, "Unnumbered, ");
        packet_put_name(packet, command_names, frame->control & 0xefu, "%02x");
    } else if ((frame->control & 3) == 1) {
        packet_printf(packet, "Supervisory, %s, rcv seq %u",
                      number_name(supervisory_names, frame->control >> 2 & 3u, "?"),
                      frame->control >> 9 & 0x7fu);
    } else {
        packet_printf(packet, "Information, send seq %u, rcv seq %u", frame->control >> 1 & 0x7fu,
                      frame->control >> 9 & 0x7fu);
    }
    packet_printf(packet, ", Flags [%s], length %u", flags, frame->length);
}

/* False: what it carries is not known. */
static bool dissect_control(struct packet *packet, const struct frame *frame)
{
    bool is_supervisory = is_numbered(frame) && (frame->control & 3) == 1;

    if (!packet->options->link_header)
        put_between(packet, frame);
    put_control(packet, frame);
    return is_supervisory || (!is_numbered(frame) && put_identification(packet, frame));
}

static bool read_frame(struct packet *packet, struct frame *frame)
{
    uint32_t have = packet_left(packet, frame->at);
    uint32_t need = 3;

    if (have > frame->length)
        have = frame->length;
    if (have >= need) {
        frame->to = packet_u8(packet, frame->at);
        frame->from = packet_u8(packet, frame->at + 1);
        frame->control = packet_u8(packet, frame->at + 2);
        frame->header = (frame->control & 3) == 3 ? 3 : 4;
        need = frame->header;
    }
    if (have < need) {
        packet_put_missing(packet);
        hexdump_put_ascii(packet, "\n\t", frame->at, packet_left(packet, frame->at));
        frame->header = have;
        return false;
    }
    if (frame->header == 4)
        frame->control |= (uint16_t)(packet_u8(packet, frame->at + 3) << 8);
    return true;
}

bool llc_dissect(struct packet *packet, uint32_t at, uint32_t length, uint32_t macs,
                 uint32_t *ret_header)
{
    struct frame frame = {.at = at, .length = length, .macs = macs};
    uint32_t to, from;
    bool known = true;

    packet->protocol = "llc";
    if (!read_frame(packet, &frame)) {
        *ret_header = frame.header;
        return true;
    }
    to = frame.to & ~1u;
    from = frame.from & ~1u;
    *ret_header = frame.header;
    if (packet->options->link_header)
        put_header(packet, &frame);
    if (to == SAP_SNAP && from == SAP_SNAP && frame.control == UNNUMBERED_INFORMATION) {
        *ret_header += 5;
        known = dissect_snap(packet, &frame);
    } else if (to == SAP_IP && from == SAP_IP && frame.control == UNNUMBERED_INFORMATION) {
        packet_push(packet, &(struct layer){.dissect = ipv4_dissect,
                                            .at = at + frame.header,
                                            .length = length - frame.header,
                                            .end = packet->end});
    } else {
        known = dissect_control(packet, &frame);
    }
    if (!known)
        hexdump_put_unknown(packet, at, packet_left(packet, at));
    return known;
}
