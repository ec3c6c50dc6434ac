/* SPDX-License-Identifier: MIT */
/* Multicast groups, by /proc/net: rtnetlink's RTM_GETMULTICAST tells no users. */
#include "collect/membership_text.h"
#include "collect/netns.h"
#include "collect/proc_file.h"

#include <fcntl.h>
#include <stdio.h>

struct membership_reader {
    struct snapshot *snapshot;
    uint32_t netns;
};

static int add_membership(void *context, const struct membership_item *item)
{
    struct membership_reader *reader = context;
    struct membership *membership;
    uint32_t iface, querier = 0;
    int r = snapshot_intern(reader->snapshot, item->iface, item->iface_length, &iface);

    if (r == 0 && item->querier)
        r = snapshot_intern(reader->snapshot, item->querier, item->querier_length, &querier);
    if (r < 0)
        return r;
    membership = snapshot_add_membership(reader->snapshot);
    if (!membership)
        return -ENOMEM;
    *membership = item->membership;
    membership->netns = reader->netns;
    membership->iface = iface;
    membership->querier = querier;
    membership->has |= querier ? MEMBERSHIP_HAS_QUERIER : 0;
    return 0;
}

static int read_file(struct membership_reader *reader, const char *name, membership_parse_fn *parse)
{
    CLEANUP_FREE char *text = NULL;
    char path[64];
    int r;

    snprintf(path, sizeof(path), "/proc/thread-self/net/%s", name);
    r = proc_read_all(AT_FDCWD, path, &text);
    if (r == -ENOMEM || r == -ENOENT) /* without IPv6, or multicast, there is no such file */
        return r == -ENOMEM ? r : 0;
    if (r < 0)
        snapshot_note(reader->snapshot, NOTE_INCOMPLETE, "proc_net", r,
                      "multicast groups of /proc/net/%s are missing", name);
    return r < 0 ? 0 : parse(text, add_membership, reader);
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    struct membership_reader reader = {.snapshot = collection->snapshot, .netns = netns};
    int r = read_file(&reader, "igmp", membership_parse_igmp);

    if (r == 0)
        r = read_file(&reader, "igmp6", membership_parse_igmp6);
    if (r == 0)
        r = read_file(&reader, "dev_mcast", membership_parse_dev);
    return r;
}

static int collect_memberships(struct collection *collection)
{
    snapshot_source(collection->snapshot, "groups", "/proc/net");
    return netns_for_each(collection, read_namespace);
}

const struct collector collector_memberships = {
    .name = "memberships",
    .provides = NEED_MEMBERSHIPS,
    .collect = collect_memberships,
};
