/* SPDX-License-Identifier: MIT */
/* A namespace in which packets are captured: exact questions to the kernel about one of them. */
#include "collect/packet_place.h"

#include "model/socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>

int packet_place_open(struct packet_place *place)
{
    struct packet_place opened = PACKET_PLACE_INIT;
    struct stat status;
    int r = stat("/proc/thread-self/ns/net", &status) < 0 ? -errno : 0;

    if (r == 0)
        r = netlink_open(NETLINK_SOCK_DIAG, &opened.diag);
    if (r == 0)
        r = netlink_open(NETLINK_ROUTE, &opened.route);
    if (r < 0) {
        packet_place_close(&opened);
        return r;
    }
    opened.netns = (uint32_t)status.st_ino;
    *place = opened;
    return 0;
}

void packet_place_close(struct packet_place *place)
{
    netlink_close(&place->diag);
    netlink_close(&place->route);
}

/* --- addresses --- */

static int on_route(void *context, uint16_t type, const void *payload, size_t length)
{
    const struct rtmsg *route = payload;
    unsigned int *kind = context;

    if (type == RTM_NEWROUTE && length >= sizeof(*route))
        *kind = route->rtm_type;
    return 0;
}

unsigned int packet_place_route(struct packet_place *place, unsigned int family,
                                const uint8_t *address)
{
    size_t size = family == AF_INET ? 4 : 16;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        char attributes[32];
    } request = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg))},
        .route = {.rtm_family = (uint8_t)family, .rtm_dst_len = (uint8_t)(size * 8)},
    };
    unsigned int kind = 0;

    if (netlink_add(&request.header, sizeof(request), RTA_DST, address, size) < 0 ||
        netlink_query(&place->route, &request.header, on_route, &kind) < 0)
        return 0;
    return kind;
}

struct wanted_link {
    const uint8_t *address;
    bool found;
};

static int on_link(void *context, uint16_t type, const void *payload, size_t length)
{
    const struct nlattr *attributes[IFLA_ADDRESS + 1];
    struct wanted_link *wanted = context;
    uint8_t address[ETH_ALEN];

    if (type != RTM_NEWLINK || length < NLMSG_ALIGN(sizeof(struct ifinfomsg)))
        return 0;
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(struct ifinfomsg)),
                       length - NLMSG_ALIGN(sizeof(struct ifinfomsg)), attributes,
                       ARRAY_SIZE(attributes));
    if (netlink_copy(attributes[IFLA_ADDRESS], address, sizeof(address)) == sizeof(address) &&
        memcmp(address, wanted->address, sizeof(address)) == 0)
        wanted->found = true;
    return 0;
}

bool packet_place_has_link(struct packet_place *place, const uint8_t *address)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {.nlmsg_type = RTM_GETLINK, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg))}};
    struct wanted_link wanted = {.address = address};
    bool interrupted;

    return netlink_dump(&place->route, &request.header, on_link, &wanted, &interrupted) == 0 &&
           wanted.found;
}

/* --- sockets --- */

static int on_socket(void *context, uint16_t type, const void *payload, size_t length)
{
    const struct inet_diag_msg *message = payload;
    struct packet_socket *socket = context;

    if (type != SOCK_DIAG_BY_FAMILY || length < sizeof(*message))
        return 0;
    socket->cookie = (uint64_t)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0];
    socket->listens = message->idiag_state == TCP_LISTEN;
    socket->time_wait = message->idiag_state == TCP_TIME_WAIT;
    return 0;
}

int packet_place_find(struct packet_place *place, const struct packet_ends *ends, bool sender,
                      struct packet_socket *ret_socket)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {
        .header = {.nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY},
        .body = {.sdiag_family = ends->family, .sdiag_protocol = ends->proto, .idiag_states = ~0u},
    };
    struct inet_diag_sockid *id = &request.body.id;
    size_t size = ends->family == AF_INET ? 4 : 16;
    struct packet_socket found = {.cookie = 0};
    int r;

    if (ends->proto != IPPROTO_TCP && ends->proto != IPPROTO_UDP && ends->proto != IPPROTO_UDPLITE)
        return -EOPNOTSUPP;
    id->idiag_sport = htons(sender ? ends->source_port : ends->target_port);
    id->idiag_dport = htons(sender ? ends->target_port : ends->source_port);
    memcpy(id->idiag_src, sender ? ends->source : ends->target, size);
    memcpy(id->idiag_dst, sender ? ends->target : ends->source, size);
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    /* For UDP the kernel takes the two ends of the question the other way round (to 5.7). */
    r = netlink_query(&place->diag, &request.header, on_socket, &found);
    if (r < 0)
        return r;
    if (!found.cookie)
        return -ENOENT;
    *ret_socket = found;
    return 0;
}
