/* SPDX-License-Identifier: MIT */
/* Routes out of RTM_NEWROUTE messages. */
#include "collect/route_message.h"

#include "netlink/netlink.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(RTAX_MAX < ROUTE_METRICS, "struct route has a place for each metric");

static uint32_t get_u32(const struct nlattr *attribute)
{
    uint32_t number;

    netlink_copy(attribute, &number, sizeof(number));
    return number;
}

static int read_metrics(struct snapshot *snapshot, const struct nlattr *attribute,
                        struct route *route)
{
    const struct nlattr *metrics[ROUTE_METRICS];
    int r = 0;

    if (!attribute)
        return 0;
    netlink_attributes(netlink_data(attribute), netlink_length(attribute), metrics, ROUTE_METRICS);
    route->locked = get_u32(metrics[RTAX_LOCK]);
    for (unsigned int i = RTAX_MTU; i < ROUTE_METRICS; i++) {
        if (!metrics[i])
            continue;
        route->metrics |= 1u << i;
        if (i == RTAX_CC_ALGO)
            r = snapshot_intern(snapshot, netlink_data(metrics[i]),
                                strnlen(netlink_data(metrics[i]), netlink_length(metrics[i])),
                                &route->congestion);
        else
            route->metric[i] = get_u32(metrics[i]);
    }
    return r;
}

static void read_cache_info(const struct nlattr *attribute, struct route *route)
{
    struct rta_cacheinfo info;

    if (netlink_copy(attribute, &info, sizeof(info)) < sizeof(info))
        return;
    /* Clock ticks of the interface, which are 1/100 s on every machine; 0: never. */
    if (info.rta_expires > 0) {
        route->expires_s = (uint32_t)info.rta_expires / 100;
        route->has |= ROUTE_HAS_EXPIRES;
    }
}

/* RTA_GATEWAY is of the route's family, RTA_VIA (IPv4 over IPv6) says of which it is. */
static void read_gateway(const struct nlattr *gateway, const struct nlattr *via,
                         struct route *route)
{
    size_t length = via ? netlink_length(via) : 0;
    uint16_t family;

    if (gateway) {
        netlink_copy(gateway, &route->gateway, sizeof(route->gateway));
        route->gateway_family = route->family;
        route->has |= ROUTE_HAS_GATEWAY;
    } else if (length > sizeof(family)) {
        memcpy(&family, netlink_data(via), sizeof(family));
        length -= sizeof(family);
        if (length > sizeof(route->gateway))
            length = sizeof(route->gateway);
        memcpy(&route->gateway, (const char *)netlink_data(via) + sizeof(family), length);
        route->gateway_family = (uint8_t)family;
        route->has |= ROUTE_HAS_GATEWAY;
    }
}

static int read_route(struct snapshot *snapshot, const struct rtmsg *message,
                      const struct nlattr *const *attributes, struct route *route)
{
    route->has |= ROUTE_HAS_TYPE;
    route->family = message->rtm_family;
    route->dst_bits = message->rtm_dst_len;
    route->src_bits = message->rtm_src_len;
    route->tos = message->rtm_tos;
    route->type = message->rtm_type;
    route->scope = message->rtm_scope;
    route->protocol = message->rtm_protocol;
    route->rtm_flags = message->rtm_flags;
    route->table = attributes[RTA_TABLE] ? get_u32(attributes[RTA_TABLE]) : message->rtm_table;
    netlink_copy(attributes[RTA_DST], &route->dst, sizeof(route->dst));
    netlink_copy(attributes[RTA_SRC], &route->src, sizeof(route->src));
    if (netlink_copy(attributes[RTA_PREFSRC], &route->source, sizeof(route->source)))
        route->has |= ROUTE_HAS_SOURCE;
    if (attributes[RTA_PRIORITY])
        route->has |= ROUTE_HAS_METRIC;
    route->priority = get_u32(attributes[RTA_PRIORITY]);
    if (attributes[RTA_UID])
        route->has |= ROUTE_HAS_UID;
    route->uid = get_u32(attributes[RTA_UID]);
    route->nexthop_id = get_u32(attributes[RTA_NH_ID]);
    read_cache_info(attributes[RTA_CACHEINFO], route);
    return read_metrics(snapshot, attributes[RTA_METRICS], route);
}

static int add_hop(struct snapshot *snapshot, const struct route *route)
{
    struct route *added = snapshot_add_route(snapshot);

    if (!added)
        return -ENOMEM;
    *added = *route;
    return 0;
}

/* The next hop at `at`: its length with padding, or 0 at the end of what makes sense. */
static size_t read_hop(const char *at, size_t length, struct route *route)
{
    const struct nlattr *attributes[RTA_VIA + 1];
    struct rtnexthop hop;

    if (length < sizeof(hop))
        return 0;
    memcpy(&hop, at, sizeof(hop));
    if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > length)
        return 0;
    netlink_attributes(at + sizeof(hop), hop.rtnh_len - sizeof(hop), attributes,
                       ARRAY_SIZE(attributes));
    route->ifindex = (uint32_t)hop.rtnh_ifindex;
    route->hop_flags = hop.rtnh_flags;
    route->weight = hop.rtnh_hops + 1u;
    route->has &= ~(uint32_t)ROUTE_HAS_GATEWAY;
    read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA], route);
    return NLMSG_ALIGN(hop.rtnh_len);
}

static int add_hops(struct snapshot *snapshot, const struct nlattr *attribute, struct route *route)
{
    const char *at = netlink_data(attribute);
    size_t length = netlink_length(attribute), step;
    uint32_t first = snapshot->routes_count;
    int r = 0;

    while (r == 0 && (step = read_hop(at, length, route)) > 0) {
        route->hop++;
        r = add_hop(snapshot, route);
        at += step;
        length = step < length ? length - step : 0;
    }
    for (uint32_t i = first; i < snapshot->routes_count; i++)
        snapshot->routes[i].hops = route->hop;
    return r;
}

static unsigned int bits_of(unsigned int family)
{
    return family == AF_INET ? 32 : 128;
}

int route_read(struct snapshot *snapshot, uint32_t netns, const void *payload, size_t length)
{
    const struct rtmsg *message = payload;
    const struct nlattr *attributes[RTA_NH_ID + 1];
    struct route route = {.netns = netns};
    int r;

    if (length < sizeof(*message) || message->rtm_dst_len > bits_of(message->rtm_family) ||
        message->rtm_src_len > bits_of(message->rtm_family))
        return -EBADMSG;
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(*message)),
                       length - sizeof(*message), attributes, ARRAY_SIZE(attributes));
    r = read_route(snapshot, message, attributes, &route);
    if (r < 0)
        return r;
    if (attributes[RTA_MULTIPATH])
        return add_hops(snapshot, attributes[RTA_MULTIPATH], &route);
    route.ifindex = get_u32(attributes[RTA_OIF]);
    read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA], &route);
    route.hop_flags = message->rtm_flags & 0xff;
    route.hop = route.hops = route.ifindex || route.has & ROUTE_HAS_GATEWAY;
    route.weight = route.hop;
    return add_hop(snapshot, &route);
}
