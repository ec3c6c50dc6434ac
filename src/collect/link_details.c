/* SPDX-License-Identifier: MIT */
/* What RTM_GETLINK does not tell: the speed of a link, and the counters of its queueing discipline.
 */
#include "collect/link.h"

#include "netlink/netlink.h"

#include <linux/ethtool.h>
#include <linux/gen_stats.h>
#include <linux/if.h>
#include <linux/pkt_sched.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * ETHTOOL_GSET is answered for every driver, also by kernels that know ETHTOOL_GLINKSETTINGS, and
 * /sys would show the namespace that it was mounted in.
 */
static void read_speed(int fd, const struct snapshot *snapshot, struct interface *interface)
{
    struct ethtool_cmd command = {.cmd = ETHTOOL_GSET};
    struct ifreq request = {.ifr_data = (void *)&command};
    const char *name = snapshot_string(snapshot, interface->name, NULL);

    if (!(interface->flags & IFF_UP) || interface->flags & IFF_LOOPBACK ||
        strlen(name) >= sizeof(request.ifr_name))
        return;
    memcpy(request.ifr_name, name, strlen(name) + 1);
    if (ioctl(fd, SIOCETHTOOL, &request) < 0)
        return;
    /* ethtool_cmd_speed() shifts into the sign of an int where the speed is unknown. */
    interface->speed_mbit = (uint32_t)command.speed_hi << 16 | command.speed;
    if (interface->speed_mbit != 0 && interface->speed_mbit != (uint32_t)SPEED_UNKNOWN &&
        interface->speed_mbit != UINT16_MAX)
        interface->has |= INTERFACE_HAS_SPEED;
    if (command.duplex == DUPLEX_HALF || command.duplex == DUPLEX_FULL)
        interface->has |= INTERFACE_HAS_DUPLEX;
    interface->full_duplex = command.duplex == DUPLEX_FULL;
}

static void read_speeds(struct snapshot *snapshot, uint32_t first)
{
    CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (uint32_t i = first; fd >= 0 && i < snapshot->interfaces_count; i++)
        read_speed(fd, snapshot, &snapshot->interfaces[i]);
}

static struct interface *find_index(struct snapshot *snapshot, uint32_t first, int ifindex)
{
    for (uint32_t i = first; i < snapshot->interfaces_count; i++)
        if (snapshot->interfaces[i].ifindex == (uint32_t)ifindex)
            return &snapshot->interfaces[i];
    return NULL;
}

/* What is at the root counts for all below it. */
void link_read_qdisc(struct snapshot *snapshot, uint32_t first, const void *payload, size_t length)
{
    const struct tcmsg *message = payload;
    const struct nlattr *attributes[TCA_STATS2 + 1], *nested[TCA_STATS_QUEUE + 1];
    struct gnet_stats_queue queue;
    struct interface *interface;

    if (length < sizeof(*message) || message->tcm_parent != TC_H_ROOT)
        return;
    interface = find_index(snapshot, first, message->tcm_ifindex);
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(*message)),
                       length - sizeof(*message), attributes, ARRAY_SIZE(attributes));
    if (!interface || !attributes[TCA_STATS2])
        return;
    netlink_attributes(netlink_data(attributes[TCA_STATS2]), netlink_length(attributes[TCA_STATS2]),
                       nested, ARRAY_SIZE(nested));
    if (netlink_copy(nested[TCA_STATS_QUEUE], &queue, sizeof(queue)) < sizeof(queue))
        return;
    interface->has |= INTERFACE_HAS_QDISC;
    interface->queue = (struct queue_stats){
        .packets = queue.qlen,
        .backlog_bytes = queue.backlog,
        .drops = queue.drops,
        .requeues = queue.requeues,
        .overlimits = queue.overlimits,
    };
}

struct qdisc_dump {
    struct snapshot *snapshot;
    uint32_t first;
};

static int add_qdisc(void *context, uint16_t type, const void *payload, size_t length)
{
    struct qdisc_dump *dump = context;

    if (type == RTM_NEWQDISC)
        link_read_qdisc(dump->snapshot, dump->first, payload, length);
    return 0;
}

int link_details(struct collection *collection, uint32_t first)
{
    struct {
        struct nlmsghdr header;
        struct tcmsg body;
    } request = {
        .header = {.nlmsg_type = RTM_GETQDISC, .nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg))}};
    struct qdisc_dump dump = {.snapshot = collection->snapshot, .first = first};
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_ROUTE, &netlink);

    read_speeds(collection->snapshot, first);
    if (r == 0)
        r = netlink_dump(&netlink, &request.header, add_qdisc, &dump, NULL);
    if (r < 0 && r != -ENOMEM && r != -EOPNOTSUPP)
        snapshot_note(collection->snapshot, NOTE_DETAIL, "rtnetlink", r,
                      "counters of queueing disciplines are missing");
    return r == -ENOMEM ? r : 0;
}
