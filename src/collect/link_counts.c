/* SPDX-License-Identifier: MIT */
/* Link counts: RTM_GETSTATS tells the counters alone, for a tenth of what RTM_GETLINK costs. */
#include "collect/link_counts.h"

#include "base/clock.h"
#include "collect/netns.h"
#include "netlink/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static void end(struct link_counts *counts)
{
    if (counts->begun)
        snapshot_done(&counts->last);
    counts->begun = false;
}

void link_counts_done(struct link_counts *counts)
{
    end(counts);
}

/* How it is entered. */
static int copy_netns(struct snapshot *last, const struct snapshot *now, const struct netns *from)
{
    struct netns *added;
    uint32_t index, path;
    size_t length;
    const char *bytes = snapshot_string(now, from->path, &length);
    int r = snapshot_intern(last, bytes, length, &path);

    if (r == 0)
        r = snapshot_add_netns(last, from->inode, &index);
    if (r != 0)
        return r;
    added = &last->netns[index];
    added->pid = from->pid;
    added->flags = from->flags;
    added->path = path;
    return 0;
}

static int copy_interface(struct snapshot *last, const struct interface *from)
{
    int r = snapshot_add_interface(last, from->netns, from->ifindex, "");

    if (r == 0)
        last->interfaces[last->interfaces_count - 1].stats = from->stats;
    return r;
}

int link_counts_begin(struct link_counts *counts, const struct snapshot *now)
{
    int r;

    end(counts);
    r = snapshot_init(&counts->last);
    if (r < 0)
        return r;
    counts->begun = true;
    for (uint32_t i = 0; i < now->netns_count && r == 0; i++)
        r = copy_netns(&counts->last, now, &now->netns[i]);
    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++)
        if (now->interfaces[i].has & INTERFACE_HAS_STATS)
            r = copy_interface(&counts->last, &now->interfaces[i]);
    return r;
}

/* --- a second --- */

struct link_reading {
    struct link_counts *counts;
    struct seconds *seconds;
    uint32_t netns, next; /* where the next interface is likely to stand */
    bool no_memory;
};

/* They come in the order in which they came last time. */
static struct interface *find(struct link_reading *reading, uint32_t ifindex)
{
    struct snapshot *last = &reading->counts->last;

    for (uint32_t i = 0; i < last->interfaces_count; i++) {
        uint32_t at = (reading->next + i) % last->interfaces_count;
        struct interface *interface = &last->interfaces[at];

        if (interface->netns == reading->netns && interface->ifindex == ifindex) {
            reading->next = at + 1;
            return interface;
        }
    }
    return NULL;
}

/* A new one has counted all of it since the last time. */
static int find_or_add(struct link_reading *reading, uint32_t ifindex,
                       struct interface **ret_interface)
{
    struct snapshot *last = &reading->counts->last;
    int r = 0;

    *ret_interface = find(reading, ifindex);
    if (*ret_interface)
        return 0;
    r = snapshot_add_interface(last, reading->netns, ifindex, "");
    if (r == 0)
        *ret_interface = &last->interfaces[last->interfaces_count - 1];
    return r;
}

static int add_difference(struct link_reading *reading, uint32_t ifindex,
                          const struct link_stats *stats)
{
    struct link_sample sample = {.netns = reading->counts->last.netns[reading->netns].inode,
                                 .ifindex = ifindex};
    uint64_t before[LINK_STATS], now[LINK_STATS], more[LINK_STATS];
    struct interface *interface;
    int r = find_or_add(reading, ifindex, &interface);

    if (r < 0 || memcmp(&interface->stats, stats, sizeof(*stats)) == 0)
        return r;
    memcpy(before, &interface->stats, sizeof(before));
    memcpy(now, stats, sizeof(now));
    for (unsigned int i = 0; i < LINK_STATS; i++)
        more[i] = now[i] > before[i] ? now[i] - before[i] : 0;
    memcpy(&sample.more, more, sizeof(more));
    interface->stats = *stats;
    return seconds_add_link(reading->seconds, &sample);
}

static int take_message(void *context, uint16_t type, const void *payload, size_t length)
{
    struct link_reading *reading = context;
    const struct if_stats_msg *message = payload;
    const struct nlattr *attributes[IFLA_STATS_LINK_64 + 1];
    struct link_stats stats;
    int r;

    if (type != RTM_NEWSTATS || length < sizeof(*message))
        return 0;
    netlink_attributes((const char *)payload + NLMSG_ALIGN(sizeof(*message)),
                       length - sizeof(*message), attributes, ARRAY_SIZE(attributes));
    if (!netlink_copy(attributes[IFLA_STATS_LINK_64], &stats, sizeof(stats)))
        return 0;
    r = add_difference(reading, message->ifindex, &stats);
    reading->no_memory = r < 0;
    return r;
}

static int read_namespace(void *context, uint32_t netns)
{
    struct {
        struct nlmsghdr header;
        struct if_stats_msg body;
    } request = {.header = {.nlmsg_type = RTM_GETSTATS,
                            .nlmsg_len = NLMSG_LENGTH(sizeof(struct if_stats_msg))},
                 .body = {.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)}};
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    struct link_reading *reading = context;
    bool interrupted;
    int r = netlink_open(NETLINK_ROUTE, &netlink);

    reading->netns = netns;
    if (r == 0)
        r = netlink_dump(&netlink, &request.header, take_message, reading, &interrupted);
    reading->counts->failed |= r == -EOPNOTSUPP;
    return reading->no_memory ? -ENOMEM : 0;
}

int link_counts_take(struct link_counts *counts, struct seconds *seconds)
{
    struct link_reading reading = {.counts = counts, .seconds = seconds};
    uint64_t time_ns = clock_ns(CLOCK_REALTIME), boot_ns = clock_ns(CLOCK_BOOTTIME);
    int r;

    if (!counts->begun || counts->failed)
        return 0;
    r = netns_visit(&counts->last, read_namespace, &reading);
    return r < 0 || counts->failed ? r : seconds_end_links(seconds, time_ns, boot_ns);
}
