/* SPDX-License-Identifier: MIT */
/* UDP: RFC 768, RFC 2675. */
#include "packet/udp.h"

#include "packet/checksum.h"
#include "packet/dns.h"
#include "packet/quic.h"

#include <netinet/in.h>

#define HEADER 8

struct udp {
    uint32_t at; /* of the payload */
    uint32_t ip;
    uint16_t source, destination;
    uint32_t said;   /* how long the payload is */
    uint32_t length; /* and what IP has of it */
};

/* "10.0.0.1.1234 > 10.0.0.2.53: "; IPv6 has said its addresses where extension headers were. */
static void put_ends(struct packet *packet, const struct udp *udp, bool ports)
{
    bool is_v6 = packet_u8(packet, udp->ip) >> 4 == 6;
    bool addresses = packet_u8(packet, udp->ip + (is_v6 ? 6 : 9)) == IPPROTO_UDP;
    uint32_t source = udp->ip + (is_v6 ? 8 : 12);

    if (!ports) {
        if (addresses) {
            packet_put_ends(packet, udp->ip);
            packet_puts(packet, ": ");
        }
        return;
    }
    if (addresses) {
        is_v6 ? packet_put_ipv6(packet, source) : packet_put_ipv4(packet, source);
        packet_puts(packet, ".");
    }
    packet_put_port(packet, false, udp->source);
    packet_puts(packet, " > ");
    if (addresses) {
        is_v6 ? packet_put_ipv6(packet, source + 16) : packet_put_ipv4(packet, source + 4);
        packet_puts(packet, ".");
    }
    packet_put_port(packet, false, udp->destination);
    packet_puts(packet, ": ");
}

static void put_checksum(struct packet *packet, const struct udp *udp, const struct layer *layer)
{
    bool is_v6 = packet_u8(packet, udp->ip) >> 4 == 6;
    uint16_t found = packet_u16(packet, udp->at - 2), sum;

    if (packet->options->keep_checksums || layer->fragment ||
        packet->options->verbose < (is_v6 ? 1 : 2))
        return;
    if (!is_v6 && found == 0) {
        packet_puts(packet, "[no cksum] ");
        return;
    }
    if (!packet_has(packet, udp->at, udp->length))
        return;
    sum = checksum_of_upper(packet, udp->ip, IPPROTO_UDP, udp->at - HEADER, udp->length + HEADER);
    if (sum != 0)
        packet_printf(packet, "[bad udp cksum 0x%04x -> 0x%04x!] ", found,
                      checksum_right(found, sum));
    else
        packet_puts(packet, "[udp sum ok] ");
}

static bool is_port(const struct udp *udp, uint16_t port)
{
    return udp->source == port || udp->destination == port;
}

static void put_payload(struct packet *packet, const struct udp *udp, const struct layer *layer)
{
    bool quiet = packet->options->quiet;

    if (!quiet && (packet->options->all_dns || is_port(udp, 53))) {
        dns_dissect(packet, udp->at, udp->length, DNS_OVER_UDP);
    } else if (!quiet && is_port(udp, 5353)) {
        dns_dissect(packet, udp->at, udp->length, DNS_MULTICAST);
    } else if (udp->said > udp->length && !layer->fragment) {
        packet_printf(packet, "UDP, bad length %u > %u", udp->said, udp->length);
    } else {
        packet_puts(packet, "UDP, length ");
        packet_put_uint(packet, udp->said);
        if (packet->options->own_lines && !quiet)
            quic_dissect(packet, udp->at, udp->length);
    }
}

void udp_dissect(struct packet *packet, const struct layer *layer)
{
    struct udp udp = {.at = layer->at + HEADER, .ip = layer->ip};
    uint32_t said;

    packet->protocol = "udp";
    if (!packet_has(packet, layer->at, 4)) {
        put_ends(packet, &udp, false);
        packet_put_missing(packet);
        return;
    }
    udp.source = packet_u16(packet, layer->at);
    udp.destination = packet_u16(packet, layer->at + 2);
    put_ends(packet, &udp, true);
    if (layer->length < HEADER) {
        packet_printf(packet, "truncated-udp %u", layer->length);
        return;
    }
    if (!packet_has(packet, layer->at, 6)) {
        packet_put_missing(packet);
        return;
    }
    said = packet_u16(packet, layer->at + 4);
    if (said == 0 && layer->length > 65535)
        said = layer->length;
    if (said < HEADER) {
        packet_printf(packet, "truncated-udplength %u", said);
        return;
    }
    if (udp.at > packet->end) {
        packet_put_missing(packet);
        return;
    }
    udp.said = said - HEADER;
    udp.length = layer->length - HEADER;
    if (udp.said < udp.length)
        udp.length = udp.said;
    put_checksum(packet, &udp, layer);
    put_payload(packet, &udp, layer);
}
