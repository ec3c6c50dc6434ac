/* SPDX-License-Identifier: MIT */
/* One interface: state and counters out of RTM_NEWLINK. */
#include "collect/link.h"

#include "netlink/netlink.h"

#include <linux/if.h>
#include <stdio.h>
#include <string.h>

/* The kernel only ever adds members at the end. */
_Static_assert(sizeof(struct link_stats) >= 24 * sizeof(uint64_t), "members of rtnl_link_stats64");

#define MEMBER_END(member) (offsetof(struct link_stats, member) + sizeof(uint64_t))

static uint32_t get_u32(const struct nlattr *attribute)
{
    uint32_t number;

    netlink_copy(attribute, &number, sizeof(number));
    return number;
}

static int get_string(struct snapshot *snapshot, const struct nlattr *attribute,
                      uint32_t *ret_string)
{
    if (!attribute)
        return 0;
    return snapshot_intern(snapshot, netlink_data(attribute),
                           strnlen(netlink_data(attribute), netlink_length(attribute)), ret_string);
}

/* "02:fc:00:00:00:01"; an all zero one (lo) is none. */
static int get_address(struct snapshot *snapshot, const struct nlattr *attribute,
                       uint32_t *ret_string)
{
    size_t length = attribute ? netlink_length(attribute) : 0, at = 0;
    uint8_t bytes[32], all = 0;
    char text[3 * sizeof(bytes)];

    if (length > sizeof(bytes))
        length = sizeof(bytes);
    netlink_copy(attribute, bytes, sizeof(bytes));
    for (size_t i = 0; i < length; i++) {
        all |= bytes[i];
        at += (size_t)snprintf(text + at, sizeof(text) - at, i ? ":%02x" : "%02x", bytes[i]);
    }
    return all ? snapshot_intern(snapshot, text, at, ret_string) : 0;
}

static int get_kind(struct snapshot *snapshot, const struct nlattr *attribute, uint32_t *ret_kind)
{
    const struct nlattr *nested[IFLA_INFO_KIND + 1];

    if (!attribute)
        return 0;
    netlink_attributes(netlink_data(attribute), netlink_length(attribute), nested,
                       ARRAY_SIZE(nested));
    return get_string(snapshot, nested[IFLA_INFO_KIND], ret_kind);
}

static void read_stats(const struct nlattr *attribute, struct interface *interface)
{
    size_t length = netlink_copy(attribute, &interface->stats, sizeof(interface->stats));

    if (length >= MEMBER_END(tx_compressed))
        interface->has |= INTERFACE_HAS_STATS;
    if (length >= MEMBER_END(rx_nohandler))
        interface->has |= INTERFACE_HAS_NOHANDLER;
    if (length >= MEMBER_END(rx_otherhost_dropped))
        interface->has |= INTERFACE_HAS_OTHERHOST;
}

static int read_link(struct snapshot *snapshot, const struct ifinfomsg *link,
                     const struct nlattr *const *attributes, struct interface *interface)
{
    uint8_t operstate = 0;
    int r;

    interface->has |= INTERFACE_HAS_LINK;
    interface->flags = link->ifi_flags;
    interface->type = link->ifi_type;
    interface->mtu = get_u32(attributes[IFLA_MTU]);
    interface->master = get_u32(attributes[IFLA_MASTER]);
    /* IFLA_LINK of a veth is its peer, which may be in another namespace. */
    interface->lower = attributes[IFLA_LINK_NETNSID] ? 0 : get_u32(attributes[IFLA_LINK]);
    interface->tx_queue_length = get_u32(attributes[IFLA_TXQLEN]);
    interface->promiscuity = get_u32(attributes[IFLA_PROMISCUITY]);
    if (attributes[IFLA_CARRIER_CHANGES])
        interface->has |= INTERFACE_HAS_CARRIER_CHANGES;
    interface->carrier_changes = get_u32(attributes[IFLA_CARRIER_CHANGES]);
    netlink_copy(attributes[IFLA_OPERSTATE], &operstate, sizeof(operstate));
    interface->operstate = operstate;
    read_stats(attributes[IFLA_STATS64], interface);
    r = get_string(snapshot, attributes[IFLA_QDISC], &interface->qdisc);
    if (r == 0)
        r = get_kind(snapshot, attributes[IFLA_LINKINFO], &interface->kind);
    if (r == 0)
        r = get_address(snapshot, attributes[IFLA_ADDRESS], &interface->address);
    return r;
}

int link_add(struct snapshot *snapshot, uint32_t netns, bool whole, const void *payload,
             size_t length)
{
    const struct ifinfomsg *link = payload;
    const struct nlattr *attributes[IFLA_LINK_NETNSID + 1];
    char name[IFNAMSIZ + 1] = "";
    int r;

    if (length < sizeof(*link))
        return -EBADMSG;
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(*link)), length - sizeof(*link),
                       attributes, ARRAY_SIZE(attributes));
    if (netlink_copy(attributes[IFLA_IFNAME], name, IFNAMSIZ) == 0 || link->ifi_index <= 0)
        return 0;
    r = snapshot_add_interface(snapshot, netns, (uint32_t)link->ifi_index, name);
    if (r < 0 || !whole)
        return r;
    return read_link(snapshot, link, attributes,
                     &snapshot->interfaces[snapshot->interfaces_count - 1]);
}
