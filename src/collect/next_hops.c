/* SPDX-License-Identifier: MIT */
/* Next hops by rtnetlink, of connections that have asked in vain: the kernel says which way it
 * takes, and what its table of neighbours (ARP, neighbour discovery) has there. */
#include "collect/next_hops.h"

#include "collect/netns.h"
#include "netlink/netlink.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* Destinations in a namespace: more would cost much and tell little. */
#define HOPS_MAX 64

struct hop_request {
    struct nlmsghdr header;
    struct rtmsg route;
    char attributes[64];
};

struct neighbour_dump {
    struct snapshot *snapshot;
    uint32_t first; /* of the hops of this namespace */
};

static size_t address_size(uint32_t family)
{
    return family == AF_INET ? 4 : 16;
}

int next_hop_read_route(struct next_hop *hop, const void *payload, size_t length)
{
    const struct nlattr *attributes[RTA_VIA + 1];
    const struct rtmsg *route = payload;
    const struct nlattr *gateway, *via;
    uint32_t ifindex = 0;

    if (length < sizeof(*route))
        return -EBADMSG;
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(*route)), length - sizeof(*route),
                       attributes, ARRAY_SIZE(attributes));
    gateway = attributes[RTA_GATEWAY];
    via = attributes[RTA_VIA];
    if (route->rtm_type == RTN_UNICAST)
        netlink_copy(attributes[RTA_OIF], &ifindex, sizeof(ifindex));
    hop->ifindex = ifindex;
    if (gateway) {
        hop->address_family = route->rtm_family;
        netlink_copy(gateway, &hop->address, address_size(route->rtm_family));
    } else if (via && netlink_length(via) == sizeof(sa_family_t) + 16) {
        hop->address_family = AF_INET6; /* of a route of IPv4 */
        memcpy(&hop->address, (const char *)netlink_data(via) + sizeof(sa_family_t), 16);
    }
    return 0;
}

int next_hop_read_neighbour(struct snapshot *snapshot, uint32_t first, const void *payload,
                            size_t length)
{
    const struct nlattr *attributes[NDA_DST + 1];
    const struct ndmsg *neighbour = payload;
    union address address = {.words = {0}};

    if (length < sizeof(*neighbour))
        return -EBADMSG;
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(*neighbour)),
                       length - sizeof(*neighbour), attributes, ARRAY_SIZE(attributes));
    netlink_copy(attributes[NDA_DST], &address, sizeof(address));
    for (uint32_t i = first; i < snapshot->next_hops_count; i++) {
        struct next_hop *hop = &snapshot->next_hops[i];

        if (hop->ifindex == (uint32_t)neighbour->ndm_ifindex &&
            hop->address_family == neighbour->ndm_family &&
            memcmp(&hop->address, &address, sizeof(address)) == 0)
            hop->state = neighbour->ndm_state;
    }
    return 0;
}

/* --- the way --- */

static int on_route(void *context, uint16_t type, const void *payload, size_t length)
{
    return type == RTM_NEWROUTE ? next_hop_read_route(context, payload, length) : 0;
}

/* Into `hop`, whose `address` is the destination until it is known better. */
static int ask_route(struct netlink *netlink, const struct socket *socket, struct next_hop *hop)
{
    size_t size = address_size(hop->address_family);
    struct hop_request request = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg))},
        .route = {.rtm_family = (uint8_t)hop->address_family,
                  .rtm_dst_len = (uint8_t)(size * 8),
                  .rtm_src_len = (uint8_t)(size * 8)},
    };
    const uint8_t *local = socket->local.bytes + (address_size(socket->family) - size);
    int r = netlink_add(&request.header, sizeof(request), RTA_DST, hop->address.bytes, size);

    if (r == 0)
        r = netlink_add(&request.header, sizeof(request), RTA_SRC, local, size);
    return r < 0 ? r : netlink_query(netlink, &request.header, on_route, hop);
}

/* --- whom it is asked for --- */

bool next_hop_is_asked_for(const struct socket *socket)
{
    return socket->proto == PROTO_TCP && socket->state == STATE_SYN_SENT &&
           socket->retransmits > 0 && !socket->ifindex && !socket->mark;
}

static bool is_known(const struct snapshot *snapshot, uint32_t first, const struct socket *socket)
{
    for (uint32_t i = first; i < snapshot->next_hops_count; i++)
        if (snapshot->next_hops[i].family == socket->family &&
            memcmp(&snapshot->next_hops[i].destination, &socket->peer, sizeof(socket->peer)) == 0)
            return true;
    return false;
}

/* An IPv4-mapped address is the IPv4 address in it. */
static struct next_hop begin(const struct socket *socket)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct next_hop hop = {.destination = socket->peer,
                           .address = socket->peer,
                           .netns = socket->netns,
                           .family = socket->family,
                           .address_family = socket->family};

    if (socket->family == AF_INET6 && memcmp(socket->peer.bytes, mapped, sizeof(mapped)) == 0) {
        hop.address = (union address){.words = {socket->peer.words[3]}};
        hop.address_family = AF_INET;
    }
    return hop;
}

/* A destination without a way is none of a neighbour. */
static int add_hops(struct netlink *netlink, struct snapshot *snapshot, uint32_t netns)
{
    uint32_t first = snapshot->next_hops_count, asked = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && asked < HOPS_MAX; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        struct next_hop hop = begin(socket), *added;

        if (socket->netns != netns || !next_hop_is_asked_for(socket) ||
            is_known(snapshot, first, socket))
            continue;
        asked++;
        if (ask_route(netlink, socket, &hop) < 0 || !hop.ifindex)
            continue;
        added = snapshot_add_next_hop(snapshot);
        if (!added)
            return -ENOMEM;
        *added = hop;
    }
    return 0;
}

/* --- who answers there --- */

static int on_neighbour(void *context, uint16_t type, const void *payload, size_t length)
{
    const struct neighbour_dump *dump = context;

    return type == RTM_NEWNEIGH
               ? next_hop_read_neighbour(dump->snapshot, dump->first, payload, length)
               : 0;
}

static int dump_neighbours(struct netlink *netlink, struct neighbour_dump *dump)
{
    struct {
        struct nlmsghdr header;
        struct ndmsg body;
    } request = {
        .header = {.nlmsg_type = RTM_GETNEIGH, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg))}};
    bool interrupted;

    return netlink_dump(netlink, &request.header, on_neighbour, dump, &interrupted);
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    struct snapshot *snapshot = collection->snapshot;
    struct neighbour_dump dump = {.snapshot = snapshot, .first = snapshot->next_hops_count};
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_ROUTE, &netlink);

    if (r == 0)
        r = add_hops(&netlink, snapshot, netns);
    if (r == 0 && snapshot->next_hops_count > dump.first)
        r = dump_neighbours(&netlink, &dump);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        snapshot_note(snapshot, NOTE_DETAIL, "rtnetlink", r,
                      "whether next hops answer is not known");
    return 0;
}

static int collect_next_hops(struct collection *collection)
{
    const struct snapshot *snapshot = collection->snapshot;

    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        if (next_hop_is_asked_for(&snapshot->sockets[i]))
            return netns_for_each(collection, read_namespace);
    return 0;
}

const struct collector collector_next_hops = {
    .name = "next hops",
    .provides = NEED_NEXT_HOPS,
    .collect = collect_next_hops,
};
