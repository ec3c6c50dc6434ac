/* SPDX-License-Identifier: MIT */
/* TCP: RFC 9293. */
#include "packet/tcp.h"

#include "packet/checksum.h"
#include "packet/dns.h"
#include "packet/http.h"
#include "packet/names.h"
#include "packet/tcp_flows.h"
#include "packet/tls.h"

#include <errno.h>
#include <netinet/in.h>

#define HEADER 20
#define RESET_TEXT_MAX 30

static const struct number_name flag_names[] = {
    {TCP_FIN, "F"}, {TCP_SYN, "S"}, {TCP_RST, "R"}, {TCP_PSH, "P"}, {TCP_ACK, "."},
    {TCP_URG, "U"}, {0x40, "E"},    {0x80, "W"},    {0, NULL},
};

/* "10.0.0.1.1234 > 10.0.0.2.80: "; IPv6 has said its addresses where extension headers were. */
static void put_ends(struct packet *packet, const struct tcp_header *tcp, uint32_t ip)
{
    bool is_v6 = packet_u8(packet, ip) >> 4 == 6;
    bool addresses = packet_u8(packet, ip + (is_v6 ? 6 : 9)) == IPPROTO_TCP;
    uint32_t source = ip + (is_v6 ? 8 : 12);

    if (addresses) {
        is_v6 ? packet_put_ipv6(packet, source) : packet_put_ipv4(packet, source);
        packet_puts(packet, ".");
    }
    packet_put_port(packet, true, tcp->source);
    packet_puts(packet, " > ");
    if (addresses) {
        is_v6 ? packet_put_ipv6(packet, source + 16) : packet_put_ipv4(packet, source + 4);
        packet_puts(packet, ".");
    }
    packet_put_port(packet, true, tcp->destination);
    packet_puts(packet, ": ");
}

static struct tcp_origin find_origin(struct packet *packet, const struct tcp_header *tcp,
                                     uint32_t ip, uint32_t seq, uint32_t ack)
{
    bool is_v6 = packet_u8(packet, ip) >> 4 == 6;
    struct tcp_ends ends = {.source_port = tcp->source,
                            .destination_port = tcp->destination,
                            .family = is_v6 ? AF_INET6 : AF_INET};
    const uint8_t *source = packet->bytes + ip + (is_v6 ? 8 : 12);
    size_t size = is_v6 ? 16 : 4;
    struct tcp_origin origin;

    memcpy(ends.source, source, size);
    memcpy(ends.destination, source + size, size);
    origin = tcp_flows_origin(packet->flows, &ends, tcp->flags & TCP_SYN, seq, ack);
    if (origin.is_forgotten)
        packet->out->error = -ENOMEM; /* or numbers of this connection would be other ones */
    return origin;
}

static void put_checksum(struct packet *packet, const struct tcp_header *tcp,
                         const struct layer *layer)
{
    uint16_t sum, found;

    if (packet->options->verbose == 0 || packet->options->keep_checksums || layer->fragment ||
        !packet_has(packet, tcp->at, tcp->length))
        return;
    sum = checksum_of_upper(packet, layer->ip, IPPROTO_TCP, tcp->at, tcp->length);
    found = packet_u16(packet, tcp->at + 16);
    packet_printf(packet, ", cksum 0x%04x", found);
    if (sum != 0)
        packet_printf(packet, " (incorrect -> 0x%04x)", checksum_right(found, sum));
    else
        packet_puts(packet, " (correct)");
}

static void put_numbers(struct packet *packet, const struct tcp_header *tcp, uint32_t seq,
                        uint32_t ack)
{
    uint32_t length = tcp->length - tcp->header;

    if (packet->options->verbose > 1 || length > 0 || tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
        packet_puts(packet, ", seq ");
        packet_put_uint(packet, seq);
        if (length > 0) {
            packet_puts(packet, ":");
            packet_put_uint(packet, (uint32_t)(seq + length));
        }
    }
    if (tcp->flags & TCP_ACK) {
        packet_puts(packet, ", ack ");
        packet_put_uint(packet, ack);
    }
    packet_puts(packet, ", win ");
    packet_put_uint(packet, packet_u16(packet, tcp->at + 14));
    if (tcp->flags & TCP_URG)
        packet_printf(packet, ", urg %u", packet_u16(packet, tcp->at + 18));
}

/* A reset may say why, RFC 9293 section 3.5.3. */
static void put_reset_text(struct packet *packet, uint32_t at, uint32_t length)
{
    uint32_t left = packet_left(packet, at), shown = length;

    packet_puts(packet, packet_has(packet, at, length) ? " [RST" : " [!RST");
    if (length > RESET_TEXT_MAX) {
        shown = RESET_TEXT_MAX;
        packet_puts(packet, "+");
    }
    packet_puts(packet, " ");
    packet_put_chars(packet, at, shown < left ? shown : left);
    packet_puts(packet, "]");
}

static bool is_port(const struct tcp_header *tcp, uint16_t port)
{
    return tcp->source == port || tcp->destination == port;
}

static void put_payload(struct packet *packet, const struct tcp_header *tcp)
{
    uint32_t at = tcp->at + tcp->header, length = tcp->length - tcp->header;

    if (!packet_has(packet, tcp->at, tcp->header)) {
        packet_printf(packet, " [remaining caplen(%u) < header length(%u)]",
                      packet_left(packet, tcp->at), tcp->header);
        packet_cut(packet);
    } else if ((tcp->flags & TCP_RST) && packet->options->verbose > 0) {
        put_reset_text(packet, at, length);
    } else if (is_port(tcp, 80) || is_port(tcp, 8080)) {
        packet_puts(packet, ": ");
        http_dissect(packet, at, length);
    } else if (is_port(tcp, 53)) {
        dns_dissect(packet, at, length, DNS_OVER_TCP);
    } else if (packet->options->own_lines) {
        tls_dissect(packet, at, length);
    }
}

/* The text behind the addresses. */
static void put_segment(struct packet *packet, struct tcp_header *tcp, const struct layer *layer)
{
    uint32_t seq = packet_u32(packet, tcp->at + 4), ack = packet_u32(packet, tcp->at + 8);

    packet_puts(packet, "Flags [");
    packet_put_flags(packet, flag_names, tcp->flags, "");
    packet_puts(packet, "]");
    if (!packet->options->absolute && (tcp->flags & TCP_ACK)) {
        struct tcp_origin origin = find_origin(packet, tcp, layer->ip, seq, ack);

        tcp->peer_origin = origin.peer;
        if (!origin.is_new) {
            seq -= origin.sender;
            ack -= origin.peer;
        }
    }
    if (tcp->header > tcp->length) {
        packet_printf(packet, " [bad hdr length %u - too long, > %u]", tcp->header, tcp->length);
        return;
    }
    put_checksum(packet, tcp, layer);
    put_numbers(packet, tcp, seq, ack);
    if (tcp->header > HEADER && !tcp_put_options(packet, tcp))
        return;
    packet_puts(packet, ", length ");
    packet_put_uint(packet, tcp->length - tcp->header);
    if (tcp->length > tcp->header && !packet->cut)
        put_payload(packet, tcp);
}

void tcp_dissect(struct packet *packet, const struct layer *layer)
{
    struct tcp_header tcp = {.at = layer->at, .length = layer->length};

    packet->protocol = "tcp";
    if (!packet_has(packet, tcp.at, 4)) {
        packet_put_ends(packet, layer->ip);
        packet_puts(packet, ":");
        packet_put_missing(packet);
        return;
    }
    tcp.source = packet_u16(packet, tcp.at);
    tcp.destination = packet_u16(packet, tcp.at + 2);
    put_ends(packet, &tcp, layer->ip);
    if (!packet_has(packet, tcp.at, HEADER)) {
        packet_put_missing(packet);
        return;
    }
    tcp.header = (packet_u8(packet, tcp.at + 12) >> 4) * 4u;
    tcp.flags = packet_u8(packet, tcp.at + 13);
    if (tcp.header < HEADER) {
        packet_printf(packet, " tcp %u [bad hdr length %u - too short, < %u]",
                      tcp.length - tcp.header, tcp.header, HEADER);
    } else if (packet->options->quiet) {
        packet_printf(packet, "tcp %u", tcp.length - tcp.header);
        if (tcp.header > tcp.length)
            packet_printf(packet, " [bad hdr length %u - too long, > %u]", tcp.header, tcp.length);
    } else {
        put_segment(packet, &tcp, layer);
    }
}
