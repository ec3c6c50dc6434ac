/* SPDX-License-Identifier: MIT */
/* Tracked connections, by ctnetlink. */
/*
 * Asking makes the kernel load nf_conntrack_netlink, which only
 * tells of the table; it never makes it track. Where nf_conntrack itself is not loaded, or has
 * nothing in the table of a namespace, nothing is asked.
 */
#include "collect/conntrack_message.h"
#include "collect/conntrack_request.h"
#include "collect/conntrack_usage.h"
#include "collect/netns.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#define DUMP_TRIES 3

struct conntrack_dump {
    struct snapshot *snapshot;
    uint32_t netns;
    bool no_memory;
};

static int add_entry(void *context, uint16_t type, const void *payload, size_t length)
{
    struct conntrack_dump *dump = context;
    struct conntrack entry, *added;
    int r;

    if (type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
        return 0;
    r = conntrack_read(dump->snapshot, payload, length, &entry);
    if (r == -EBADMSG)
        return r;
    added = r == 0 ? snapshot_add_conntrack(dump->snapshot) : NULL;
    dump->no_memory = !added;
    if (!added)
        return -ENOMEM;
    entry.netns = dump->netns;
    *added = entry;
    return 0;
}

static int dump_once(struct conntrack_dump *dump, bool *ret_interrupted)
{
    struct conntrack_request request;
    CLEANUP(netlink_close) struct netlink netlink = NETLINK_INIT;
    int r = netlink_open(NETLINK_NETFILTER, &netlink);

    conntrack_request_start(&request, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, AF_UNSPEC);
    return r < 0 ? r : conntrack_request_dump(&netlink, &request, add_entry, dump, ret_interrupted);
}

/* Whether there is anything in the table of this namespace. */
static bool has_entries(bool *ret_loaded)
{
    uint64_t entries;

    if (conntrack_entries(&entries) < 0)
        return false;
    *ret_loaded = true;
    return entries > 0;
}

static void note_failure(struct collection *collection, int error)
{
    const char *help = error == -EPERM ? ": only CAP_NET_ADMIN may read them" : "";

    if (collection->request->rows_by_conntrack)
        snapshot_note(collection->snapshot, NOTE_INCOMPLETE, "ctnetlink", error,
                      "tracked connections are missing%s", help);
    else
        snapshot_note(collection->snapshot, NOTE_DETAIL, "ctnetlink", error,
                      "what tracked connections tell of sockets (NAT) is missing%s", help);
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    struct snapshot *snapshot = collection->snapshot;
    struct conntrack_dump dump = {.snapshot = snapshot, .netns = netns};
    uint32_t mark = snapshot->conntracks_count;
    bool *loaded = collection->context, interrupted = true;
    int r = 0;

    if (!has_entries(loaded)) {
        snapshot->netns[netns].flags |= NETNS_HAS_CONNTRACK;
        return 0;
    }
    for (int try = 0; try < DUMP_TRIES && (r < 0 || interrupted); try++) {
        snapshot->conntracks_count = mark;
        r = dump_once(&dump, &interrupted);
        if (dump.no_memory)
            return -ENOMEM;
        if (r == -EPERM)
            break;
    }
    if (r < 0)
        note_failure(collection, r);
    else
        snapshot->netns[netns].flags |= NETNS_HAS_CONNTRACK;
    if (r == 0 && interrupted)
        snapshot_note(snapshot, NOTE_INFO, "ctnetlink", 0, "the table changed while being read");
    return 0;
}

static int collect_conntrack(struct collection *collection)
{
    bool loaded = false;
    int r;

    collection->context = &loaded;
    r = netns_for_each(collection, read_namespace);
    collection->context = NULL;
    if (r == 0 && !loaded)
        snapshot_note(collection->snapshot, NOTE_INFO, "ctnetlink", 0,
                      "connections are not tracked here (nf_conntrack is not loaded)");
    if (loaded)
        snapshot_source(collection->snapshot, "conntrack", "ctnetlink");
    return r;
}

const struct collector collector_conntrack = {
    .name = "conntrack",
    .provides = NEED_CONNTRACK,
    .collect = collect_conntrack,
};
