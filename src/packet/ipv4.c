/* SPDX-License-Identifier: MIT */
/* IPv4: header and fragments, RFC 791, RFC 3168. */
#include "packet/ipv4.h"

#include "packet/checksum.h"
#include "packet/ip_payload.h"
#include "packet/names.h"

#define HEADER 20
#define MORE_FRAGMENTS 0x2000
#define OFFSET 0x1fff

static const struct number_name fragment_names[] = {
    {MORE_FRAGMENTS, "+"}, {0x4000, "DF"}, {0x8000, "rsvd"}, {0, NULL}};

static void put_header_checksum(struct packet *packet, uint32_t at, uint32_t header)
{
    uint16_t sum, found;

    if (packet->options->keep_checksums || !packet_has(packet, at, header))
        return;
    sum = checksum_of(packet, at, header);
    found = packet_u16(packet, at + 10);
    if (sum != 0)
        packet_printf(packet, ", bad cksum %x (->%x)!", found, checksum_right(found, sum));
}

/* "(tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 60)"; false: it is cut. */
static bool put_details(struct packet *packet, uint32_t at, uint32_t header)
{
    static const char *const congestion[] = {"", ",ECT(1)", ",ECT(0)", ",CE"};
    uint8_t tos = packet_u8(packet, at + 1), ttl = packet_u8(packet, at + 8);
    uint8_t protocol = packet_u8(packet, at + 9);
    uint16_t fragment = packet_u16(packet, at + 6);
    bool whole = true;

    packet_printf(packet, "(tos 0x%x%s", tos, congestion[tos & 3]);
    if (ttl > 0)
        packet_printf(packet, ", ttl %u", ttl);
    packet_printf(packet, ", id %u, offset %u, flags [", packet_u16(packet, at + 4),
                  (fragment & OFFSET) * 8u);
    packet_put_flags(packet, fragment_names, fragment, ", ");
    packet_printf(packet, "], proto %s (%u), length %u",
                  number_name(ip_protocol_names, protocol, "unknown"), protocol,
                  packet_u16(packet, at + 2));
    if (header > HEADER) {
        packet_puts(packet, ", options (");
        whole = ipv4_put_options(packet, at + HEADER, header - HEADER);
        packet_puts(packet, whole ? ")" : " [truncated-option])");
    }
    put_header_checksum(packet, at, header);
    packet_puts(packet, ")\n    ");
    if (!whole) {
        packet_put_ends(packet, at);
        packet_puts(packet, ": ");
        packet_put_missing(packet);
    }
    return whole;
}

static void dissect_first(struct packet *packet, const struct layer *layer, uint32_t header,
                          uint32_t length)
{
    struct layer next = {.dissect = ip_payload_dissect,
                         .at = layer->at + header,
                         .length = length,
                         .end = packet->end,
                         .ip = layer->at,
                         .fragment = packet_u16(packet, layer->at + 6) & MORE_FRAGMENTS,
                         .protocol = packet_u8(packet, layer->at + 9),
                         .hop_limit = packet_u8(packet, layer->at + 8)};

    if (!ip_payload_puts_addresses(next.protocol)) {
        packet_put_ends(packet, layer->at);
        packet_puts(packet, ": ");
    }
    if (!packet_has(packet, layer->at, header)) {
        packet_printf(packet, " [remaining caplen(%u) < header length(%u)]",
                      packet_left(packet, layer->at), header);
        packet_cut(packet);
        return;
    }
    packet_push(packet, &next);
}

static void put_later_fragment(struct packet *packet, uint32_t at)
{
    uint8_t protocol = packet_u8(packet, at + 9);
    const char *name = packet->options->numeric ? NULL : ip_protocol_short_name(protocol);

    if (packet->options->very_quiet)
        return;
    packet_put_ends(packet, at);
    if (name)
        packet_printf(packet, ": %s", name);
    else
        packet_printf(packet, ": ip-proto-%u", protocol);
}

/* The length that the header says, or 0 after it was said what is wrong with it. */
static uint32_t read_length(struct packet *packet, const struct layer *layer, uint32_t header)
{
    uint32_t length = packet_u16(packet, layer->at + 2);

    if (header < HEADER) {
        packet_printf(packet, "bad-hlen %u", header);
        return 0;
    }
    if (layer->length < length)
        packet_printf(packet, "truncated-ip - %u bytes missing! ", length - layer->length);
    if (length < header) {
        packet_printf(packet, "bad-len %u", length);
        return 0;
    }
    return length;
}

void ipv4_dissect(struct packet *packet, const struct layer *layer)
{
    const uint32_t at = layer->at;
    uint8_t version;
    uint32_t header, length;

    packet->protocol = "ip";
    version = packet_u8(packet, at) >> 4;
    if (version != 4) {
        if (version == 6)
            packet_puts(packet, "IP6, wrong link-layer encapsulation");
        else
            packet_printf(packet, "IP%u", version);
        packet_put_invalid(packet);
        return;
    }
    if (!packet->options->link_header)
        packet_puts(packet, "IP ");
    if (!packet_has(packet, at, HEADER)) {
        packet_put_missing(packet);
        return;
    }
    if (layer->length < HEADER) {
        packet_printf(packet, "truncated-ip %u", layer->length);
        return;
    }
    header = (packet_u8(packet, at) & 15) * 4u;
    length = read_length(packet, layer, header);
    if (length == 0)
        return;
    packet_narrow(packet, at, length);
    if (packet->options->verbose > 0 && !put_details(packet, at, header))
        return;
    if ((packet_u16(packet, at + 6) & OFFSET) == 0)
        dissect_first(packet, layer, header, length - header);
    else
        put_later_fragment(packet, at);
}
