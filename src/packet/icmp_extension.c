/* SPDX-License-Identifier: MIT */
/* The objects behind the quoted packet of an ICMP error: RFC 4884, RFC 4950. */
#include "packet/checksum.h"
#include "packet/hexdump.h"
#include "packet/icmp.h"
#include "packet/names.h"

#define EXTENSION 136
#define HEADER 4
#define OBJECT_HEADER 4
#define MPLS_STACK 1

static const struct number_name object_names[] = {
    {MPLS_STACK, "MPLS Stack Entry"}, {2, "Interface Identification"}, {0, NULL}};

static void put_label(struct packet *packet, uint32_t at)
{
    uint32_t entry = packet_u32(packet, at);

    packet_printf(packet, "\n\t    label %u, tc %u%s, ttl %u", entry >> 12, entry >> 9 & 7,
                  entry & 0x100 ? ", [S]" : "", entry & 0xff);
}

/* Objects of `left` bytes. */
static void put_objects(struct packet *packet, uint32_t at, uint32_t left)
{
    while (left > OBJECT_HEADER && !packet->cut) {
        uint16_t size;
        uint8_t class, type;

        if (!packet_has(packet, at, OBJECT_HEADER)) {
            packet_put_missing(packet);
            return;
        }
        size = packet_u16(packet, at);
        class = packet_u8(packet, at + 2);
        type = packet_u8(packet, at + 3);
        packet_printf(packet, "\n\t  %s Object (%u), Class-Type: %u, length %u",
                      number_name(object_names, class, "unknown"), class, type, size);
        left -= OBJECT_HEADER;
        at += OBJECT_HEADER;
        if (class == 0 || size < OBJECT_HEADER)
            return;
        size -= OBJECT_HEADER;
        if (class == MPLS_STACK && type == 1)
            put_label(packet, at);
        else
            hexdump_put_some(packet, "\n\t    ", at, size);
        if (left < size)
            return;
        left -= size;
        at += size;
    }
}

void icmp_extension_dissect(struct packet *packet, const struct layer *layer)
{
    uint32_t at = layer->at + EXTENSION, length = layer->length - EXTENSION;
    bool whole = packet_has(packet, at, length);
    uint8_t version;

    packet->protocol = "icmp";
    if (!packet_has(packet, at, HEADER + 1)) {
        packet_put_missing(packet);
        return;
    }
    /* Not all senders say that there is an extension: then its checksum does. */
    if (packet_u8(packet, layer->at + 5) == 0 && whole && checksum_of(packet, at, length) != 0)
        return;
    version = packet_u8(packet, at) >> 4;
    packet_printf(packet, "\n\tICMP Multi-Part extension v%u", version);
    if (version != 2) {
        packet_puts(packet, " packet not supported");
        return;
    }
    if (whole)
        packet_printf(packet, ", checksum 0x%04x (%scorrect), length %u",
                      packet_u16(packet, at + 2), checksum_of(packet, at, length) ? "in" : "",
                      length);
    put_objects(packet, at + HEADER, length - HEADER);
}
