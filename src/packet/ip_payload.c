/* SPDX-License-Identifier: MIT */
/* What is within IP, by its protocol's number. */
#include "packet/ip_payload.h"

#include "packet/icmp.h"
#include "packet/icmp6.h"
#include "packet/ipv4.h"
#include "packet/ipv6.h"
#include "packet/link.h"
#include "packet/names.h"
#include "packet/tcp.h"
#include "packet/udp.h"

#include <netinet/in.h>

bool ip_payload_puts_addresses(uint8_t protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* tcpdump leaves them to protocols that are not dissected here too. */
static void put_other(struct packet *packet, const struct layer *layer)
{
    const char *name = packet->options->numeric ? NULL : ip_protocol_short_name(layer->protocol);

    if (name)
        packet_printf(packet, " %s %u", name, layer->length);
    else
        packet_printf(packet, " ip-proto-%u %u", layer->protocol, layer->length);
}

static void continue_as(struct packet *packet, const struct layer *layer,
                        void (*dissect)(struct packet *, const struct layer *))
{
    struct layer next = *layer;

    next.dissect = dissect;
    packet_push(packet, &next);
}

static void refuse(struct packet *packet, uint8_t protocol, const char *version)
{
    packet_printf(packet, "[%s requires %s]", number_name(ip_protocol_names, protocol, "unknown"),
                  version);
    packet_put_invalid(packet);
}

void ip_payload_dissect(struct packet *packet, const struct layer *layer)
{
    bool is_v4 = packet->bytes[layer->ip] >> 4 != 6;

    switch (layer->protocol) {
    case IPPROTO_TCP:
        tcp_dissect(packet, layer);
        break;
    case IPPROTO_UDP:
        udp_dissect(packet, layer);
        break;
    case IPPROTO_ICMP:
        if (is_v4)
            icmp_dissect(packet, layer);
        else
            refuse(packet, layer->protocol, "IPv4");
        break;
    case IPPROTO_ICMPV6:
        if (is_v4)
            refuse(packet, layer->protocol, "IPv6");
        else
            icmp6_dissect(packet, layer);
        break;
    case IPPROTO_IPIP:
        continue_as(packet, layer, ipv4_dissect);
        break;
    case IPPROTO_IPV6:
        continue_as(packet, layer, ipv6_dissect);
        break;
    case 143: /* Ethernet, RFC 8986 */
        if (is_v4)
            refuse(packet, layer->protocol, "IPv6");
        else
            continue_as(packet, layer, ether_dissect);
        break;
    case IPPROTO_NONE:
        packet_puts(packet, "no next header");
        break;
    default:
        put_other(packet, layer);
    }
}
