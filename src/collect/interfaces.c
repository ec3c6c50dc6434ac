/* SPDX-License-Identifier: MIT */
/* Interfaces by rtnetlink: the names that sockets, routes and next hops need, or all that is known
 * of each. */
#include "collect/link.h"
#include "collect/netns.h"
#include "netlink/netlink.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_TRIES 3

struct link_dump {
    struct collection *collection;
    uint32_t netns;
    bool whole; /* state and counters too, not only the names */
    bool no_memory;
};

static int add_link(void *context, uint16_t type, const void *payload, size_t length)
{
    struct link_dump *dump = context;
    int r;

    if (type != RTM_NEWLINK)
        return 0;
    r = link_add(dump->collection->snapshot, dump->netns, dump->whole, payload, length);
    dump->no_memory = r == -ENOMEM;
    return r;
}

static int dump_once(struct link_dump *dump, bool *ret_interrupted)
{
    struct {
        struct nlmsghdr header;
        char body[64];
    } request = {
        .header = {.nlmsg_type = RTM_GETLINK, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg))}};
    const uint32_t mask = RTEXT_FILTER_SKIP_STATS;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_ROUTE, &netlink);

    if (r == 0 && !dump->whole)
        r = netlink_add(&request.header, sizeof(request), IFLA_EXT_MASK, &mask, sizeof(mask));
    if (r == 0)
        r = netlink_dump(&netlink, &request.header, add_link, dump, ret_interrupted);
    return r;
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    struct snapshot *snapshot = collection->snapshot;
    struct link_dump dump = {
        .collection = collection, .netns = netns, .whole = collection->request->needs & NEED_LINKS};
    uint32_t mark = snapshot->interfaces_count;
    bool interrupted = true;
    int r = 0;

    for (int try = 0; try < DUMP_TRIES && (r < 0 || interrupted); try++) {
        snapshot->interfaces_count = mark;
        r = dump_once(&dump, &interrupted);
        if (dump.no_memory)
            return -ENOMEM;
    }
    if (r == 0 && dump.whole)
        snapshot_source(snapshot, "interfaces", "rtnetlink");
    if (r < 0)
        snapshot_note(snapshot, dump.whole ? NOTE_INCOMPLETE : NOTE_DETAIL, "rtnetlink", r,
                      dump.whole ? "interfaces are missing" : "names of interfaces are not shown");
    else if (interrupted)
        snapshot_note(snapshot, NOTE_INFO, "rtnetlink", 0,
                      "the interfaces changed while being read");
    return collection->request->needs & NEED_LINK_DETAILS ? link_details(collection, mark) : 0;
}

static bool any_bound_socket(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        if (snapshot->sockets[i].ifindex)
            return true;
    return false;
}

/* Runs after the sockets: mostly none is bound to an interface, and then nobody has to be asked for
 * its name. */
static int collect_interfaces(struct collection *collection)
{
    bool wanted = collection->request->needs & (NEED_LINKS | NEED_LINK_DETAILS | NEED_ROUTES);

    return wanted || collection->snapshot->next_hops_count || any_bound_socket(collection->snapshot)
               ? netns_for_each(collection, read_namespace)
               : 0;
}

const struct collector collector_interfaces = {
    .name = "interfaces",
    .provides = NEED_INTERFACES | NEED_LINKS | NEED_LINK_DETAILS | NEED_ROUTES,
    .collect = collect_interfaces,
};
