/* SPDX-License-Identifier: MIT */
/* IPv6: header, the chain of extension headers, fragments: RFC 8200. */
#include "packet/ipv6.h"

#include "packet/ip_payload.h"
#include "packet/names.h"

#define HEADER 40
#define FRAGMENT_HEADER 8
#define FRAGMENT_OFFSET 0xfff8

/* Where the chain of headers is. */
struct chain {
    const struct layer *layer;
    uint32_t at;     /* the header that `next` says */
    uint32_t length; /* from it on */
    uint8_t next;
    bool fragment, extended, hop_by_hop;
    struct jumbo jumbo;
};

static void put_details(struct packet *packet, uint32_t at)
{
    uint32_t first = packet_u32(packet, at);
    uint8_t next = packet_u8(packet, at + 6);

    packet_puts(packet, "(");
    if (first & 0x0ff00000)
        packet_printf(packet, "class 0x%02x, ", (first & 0x0ff00000) >> 20);
    if (first & 0x000fffff)
        packet_printf(packet, "flowlabel 0x%05x, ", first & 0x000fffff);
    packet_printf(packet, "hlim %u, next-header %s (%u) payload length: %u) ",
                  packet_u8(packet, at + 7), number_name(ip_protocol_names, next, "unknown"), next,
                  packet_u16(packet, at + 4));
}

static uint32_t put_hop_by_hop(struct packet *packet, struct chain *chain)
{
    uint32_t length;

    if (chain->hop_by_hop || chain->extended) {
        packet_puts(packet, chain->hop_by_hop
                                ? "[The Hop-by-Hop Options header was already found]"
                                : "[The Hop-by-Hop Options header don't follow the IPv6 header]");
        packet_put_invalid(packet);
        return 0;
    }
    length = ipv6_put_hop_by_hop(packet, chain->at, &chain->jumbo);
    chain->hop_by_hop = true;
    if (chain->jumbo.payload == 0 && !chain->jumbo.found) {
        packet_puts(packet, "[No valid Jumbo Payload Hop-by-Hop option found]");
        packet_put_invalid(packet);
        return 0;
    }
    return length;
}

static uint32_t put_fragment(struct packet *packet, struct chain *chain)
{
    uint32_t at = chain->at, ip = chain->layer->at;
    uint16_t offset;
    size_t size = (size_t)HEADER + packet_u16(packet, ip + 4) - (at - ip) - FRAGMENT_HEADER;

    packet->protocol = "frag6";
    offset = packet_u16(packet, at + 2) & FRAGMENT_OFFSET;
    if (packet->cut)
        return 0;
    if (packet->options->verbose > 0)
        packet_printf(packet, "frag (0x%08x:%u|%zu)", packet_u32(packet, at + 4), offset, size);
    else
        packet_printf(packet, "frag (%u|%zu)", offset, size);
    if (offset != 0)
        return 0;
    packet_puts(packet, " ");
    chain->fragment = true;
    return packet->end <= at + FRAGMENT_HEADER ? 0 : FRAGMENT_HEADER;
}

static bool is_extension(uint8_t next)
{
    return next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT ||
           next == IPPROTO_ROUTING;
}

/* Its length, or 0: nothing comes behind it. */
static uint32_t put_extension(struct packet *packet, struct chain *chain)
{
    switch (chain->next) {
    case IPPROTO_HOPOPTS:
        return put_hop_by_hop(packet, chain);
    case IPPROTO_DSTOPTS:
        return ipv6_put_destination(packet, chain->at);
    case IPPROTO_FRAGMENT:
        return put_fragment(packet, chain);
    default:
        return packet_need(packet, chain->at, 1) ? ipv6_put_routing(packet, chain->at) : 0;
    }
}

static void put_too_short(struct packet *packet, const struct layer *layer, uint32_t length)
{
    if (layer->length < length)
        packet_printf(packet, "truncated-ip6 - %u bytes missing!", length - layer->length);
}

/* The length of what the last header is followed by, false: it makes no sense. */
static bool find_payload(struct packet *packet, struct chain *chain)
{
    uint32_t ip = chain->layer->at, headers = chain->at - ip;

    if (chain->jumbo.found) {
        chain->length = chain->jumbo.payload + HEADER;
        if (chain->length < headers)
            return false;
        put_too_short(packet, chain->layer, chain->length);
    } else if (chain->jumbo.payload == 0) {
        if (chain->extended)
            return false;
        chain->length = HEADER;
    } else {
        return true;
    }
    packet->end = chain->layer->end;
    packet_narrow(packet, ip, chain->length);
    chain->length -= headers;
    return true;
}

static void push_payload(struct packet *packet, const struct chain *chain)
{
    packet_push(packet, &(struct layer){.dissect = ip_payload_dissect,
                                        .at = chain->at,
                                        .length = chain->length,
                                        .end = packet->end,
                                        .ip = chain->layer->at,
                                        .fragment = chain->fragment,
                                        .protocol = chain->next,
                                        .hop_limit = packet_u8(packet, chain->layer->at + 7)});
}

static void follow(struct packet *packet, struct chain *chain)
{
    uint32_t size = HEADER;

    while (chain->at < packet->end && !packet->cut) {
        if (chain->length < size) {
            packet_put_missing(packet);
            return;
        }
        chain->at += size;
        chain->length -= size;
        if (chain->at == chain->layer->at + HEADER && !ip_payload_puts_addresses(chain->next)) {
            packet_put_ends(packet, chain->layer->at);
            packet_puts(packet, ": ");
        }
        if (!is_extension(chain->next)) {
            if (find_payload(packet, chain))
                push_payload(packet, chain);
            else
                packet_put_missing(packet);
            return;
        }
        size = put_extension(packet, chain);
        if (size == 0)
            return;
        chain->extended = true;
        chain->next = packet_u8(packet, chain->at);
        packet->protocol = "ip6";
    }
}

void ipv6_dissect(struct packet *packet, const struct layer *layer)
{
    struct chain chain = {.layer = layer, .at = layer->at};
    uint8_t version;

    packet->protocol = "ip6";
    if (!packet_has(packet, layer->at, HEADER)) {
        packet_put_missing(packet);
        return;
    }
    if (layer->length < HEADER) {
        packet_printf(packet, "truncated-ip6 %u", layer->length);
        return;
    }
    if (!packet->options->link_header)
        packet_puts(packet, "IP6 ");
    version = packet_u8(packet, layer->at) >> 4;
    if (version != 6) {
        packet_printf(packet, "version error: %u != 6", version);
        return;
    }
    chain.jumbo.payload = packet_u16(packet, layer->at + 4);
    chain.length = (chain.jumbo.payload ? chain.jumbo.payload : layer->length) + HEADER;
    if (chain.jumbo.payload)
        put_too_short(packet, layer, chain.length);
    chain.next = packet_u8(packet, layer->at + 6);
    if (packet->options->verbose > 0)
        put_details(packet, layer->at);
    packet_narrow(packet, layer->at, chain.length);
    follow(packet, &chain);
}
