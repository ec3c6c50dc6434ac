/* SPDX-License-Identifier: MIT */
/* SOCK_DESTROY: the same request as a sock_diag question, for one socket. */
#include "collect/destroy.h"

#include "collect/netns.h"
#include "netlink/netlink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

struct destruction {
    const uint32_t *sockets;
    uint32_t count;
    int *errors;
};

static int ip_protocol(const struct socket *socket)
{
    switch (socket->proto) {
    case PROTO_TCP:
        return IPPROTO_TCP;
    case PROTO_UDP:
        return IPPROTO_UDP;
    case PROTO_UDPLITE:
        return IPPROTO_UDPLITE;
    case PROTO_RAW:
        return IPPROTO_RAW;
    default:
        return -EOPNOTSUPP;
    }
}

static int destroy(struct netlink *netlink, const struct socket *socket)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {
        .header = {.nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DESTROY},
        .body = {.sdiag_family = socket->family, .idiag_states = ~0u},
    };
    int protocol = ip_protocol(socket);

    if (protocol < 0)
        return protocol;
    if (!(socket->has & SOCKET_HAS_COOKIE))
        return -ENODATA;
    if (socket->state == STATE_BOUND_INACTIVE) /* the kernel would look for a connection */
        return -EOPNOTSUPP;
    request.body.sdiag_protocol = (uint8_t)protocol;
    if (socket->proto == PROTO_RAW) /* sdiag_raw_protocol of struct inet_diag_req_raw */
        request.body.pad = (uint8_t)socket->protocol;
    request.body.id = (struct inet_diag_sockid){
        .idiag_sport = htons(socket->local_port),
        .idiag_dport = htons(socket->peer_port),
        .idiag_if = socket->ifindex,
        .idiag_cookie = {(uint32_t)socket->cookie, (uint32_t)(socket->cookie >> 32)},
    };
    memcpy(request.body.id.idiag_src, socket->local.bytes, sizeof(socket->local));
    memcpy(request.body.id.idiag_dst, socket->peer.bytes, sizeof(socket->peer));
    return netlink_ask(netlink, &request.header);
}

static int destroy_in_netns(struct collection *collection, uint32_t netns)
{
    const struct destruction *destruction = collection->context;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_SOCK_DIAG, &netlink);

    for (uint32_t i = 0; i < destruction->count && r == 0; i++) {
        const struct socket *socket = &collection->snapshot->sockets[destruction->sockets[i]];

        if (socket->netns == netns)
            destruction->errors[i] = destroy(&netlink, socket);
    }
    return r;
}

int destroy_sockets(struct snapshot *snapshot, const uint32_t *sockets, uint32_t count,
                    int *ret_errors)
{
    struct destruction destruction = {.sockets = sockets, .count = count, .errors = ret_errors};
    CLEANUP_CLOSE int own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    struct collection collection = {
        .snapshot = snapshot, .own_netns = own_netns, .context = &destruction};

    return netns_for_each(&collection, destroy_in_netns);
}
