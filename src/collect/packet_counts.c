/* SPDX-License-Identifier: MIT */
/* Packets by size and protocol: a counter for each interface, by BPF or a packet socket. */
#include "collect/packet_counts.h"

#include "collect/netns.h"
#include "collect/packet_tap.h"
#include "collect/source.h"

#if HAVE_BPF
#include "bpf/packet_count.h"
#endif

#include <linux/if_arp.h>
#include <string.h>
#include <sys/stat.h>

#define MTU_LEAST 68 /* of an interface that tells none, or one that cannot be */

struct counted_link {
    uint32_t inode; /* of its namespace */
    uint32_t netns; /* index in the snapshot of the opening */
    uint32_t ifindex, mtu;
    bool ethernet;
    char name[16];
    struct packet_tap *tap; /* owned; NULL: BPF counts */
#if HAVE_BPF
    struct packet_program program;
#endif
};

struct packet_counts {
    struct counted_link *links;
    uint32_t count;
    bool bpf; /* wanted */
};

/* --- opening --- */

static int open_by_bpf(struct counted_link *link)
{
#if HAVE_BPF
    return packet_program_open(link->ifindex, link->mtu, link->ethernet, &link->program);
#else
    (void)link;
    return -ENOSYS;
#endif
}

static int open_link(struct packet_counts *counts, struct counted_link *link)
{
    int r = counts->bpf ? open_by_bpf(link) : -ENOSYS;

    return r < 0 ? packet_tap_open(link->ifindex, link->mtu, link->ethernet, &link->tap) : r;
}

static bool is_open(const struct counted_link *link)
{
#if HAVE_BPF
    if (link->program.skeleton)
        return true;
#endif
    return link->tap != NULL;
}

/* Called inside each namespace. */
static int open_namespace(void *context, uint32_t netns)
{
    struct packet_counts *counts = context;
    int r = 0;

    for (uint32_t i = 0; i < counts->count && r == 0; i++)
        if (counts->links[i].netns == netns)
            r = open_link(counts, &counts->links[i]);
    return r;
}

static void describe(const struct snapshot *snapshot, const struct interface *interface,
                     struct counted_link *link)
{
    size_t length;
    const char *name = snapshot_string(snapshot, interface->name, &length);

    *link = (struct counted_link){
        .inode = snapshot->netns[interface->netns].inode,
        .netns = interface->netns,
        .ifindex = interface->ifindex,
        .mtu = interface->mtu > MTU_LEAST ? interface->mtu : MTU_LEAST,
        .ethernet = interface->type == ARPHRD_ETHER || interface->type == ARPHRD_LOOPBACK,
    };
#if HAVE_BPF
    link->program = PACKET_PROGRAM_INIT;
#endif
    memcpy(link->name, name, length < sizeof(link->name) ? length : sizeof(link->name) - 1);
}

int packet_counts_open(struct snapshot *snapshot, const uint32_t *interfaces, uint32_t count,
                       bool bpf, struct packet_counts **ret_counts)
{
    struct packet_counts *counts = calloc(1, sizeof(*counts));
    int r = 0;

    if (counts)
        counts->links = calloc(count + 1u, sizeof(*counts->links));
    if (!counts || !counts->links) {
        free(counts);
        return -ENOMEM;
    }
    counts->bpf = bpf;
    counts->count = count;
    for (uint32_t i = 0; i < count; i++)
        describe(snapshot, &snapshot->interfaces[interfaces[i]], &counts->links[i]);
    r = netns_visit(snapshot, open_namespace, counts);
    for (uint32_t i = 0; i < count && r == 0; i++)
        if (!is_open(&counts->links[i]))
            r = -ENODEV; /* its namespace could not be entered any more */
    if (r < 0)
        packet_counts_close(counts);
    else
        *ret_counts = counts;
    return r;
}

void packet_counts_close(struct packet_counts *counts)
{
    if (!counts)
        return;
    for (uint32_t i = 0; i < counts->count; i++) {
        packet_tap_close(counts->links[i].tap);
#if HAVE_BPF
        packet_program_close(&counts->links[i].program);
#endif
    }
    free(counts->links);
    free(counts);
}

/* --- reading --- */

static const char *read_link(struct counted_link *link, struct packet_sums ret_sums[2],
                             uint64_t *ret_lost)
{
    *ret_lost = 0;
#if HAVE_BPF
    if (!link->tap) {
        memcpy(ret_sums, link->program.state->sums, sizeof(link->program.state->sums));
        return "bpf";
    }
#endif
    packet_tap_read(link->tap, ret_sums, ret_lost);
    return "packet socket";
}

static struct packet_count count_of(const struct packet_count *common, const struct packet_sum *rx,
                                    const struct packet_sum *tx)
{
    struct packet_count count = *common;

    count.rx_packets = rx->packets;
    count.rx_bytes = rx->bytes;
    count.tx_packets = tx->packets;
    count.tx_bytes = tx->bytes;
    return count;
}

/* The smallest size in a bracket: the inverse of packet_bracket(). */
static uint32_t bracket_least(uint32_t bracket, uint32_t mtu)
{
    uint32_t parts = CLASS_BRACKETS - 1;

    return bracket ? (uint32_t)(((uint64_t)bracket * mtu + parts - 1) / parts) + 1 : 0;
}

static int add_sizes(struct snapshot *snapshot, struct packet_count common, uint32_t mtu,
                     const struct packet_sums sums[2])
{
    int r = 0;

    for (uint32_t i = 0; i < CLASS_BRACKETS && r == 0; i++) {
        common.bracket = i;
        common.least = bracket_least(i, mtu);
        common.most = i + 1 < CLASS_BRACKETS ? bracket_least(i + 1, mtu) - 1 : 0;
        r = snapshot_add_packet_size(snapshot,
                                     count_of(&common, &sums[0].sizes[i], &sums[1].sizes[i]));
    }
    return r;
}

static int add_protocols(struct snapshot *snapshot, struct packet_count common,
                         const struct packet_sums sums[2])
{
    int r = 0;

    for (uint32_t i = 0; i < CLASS_MAX && r == 0; i++) {
        common.protocol = i;
        r = snapshot_add_packet_protocol(
            snapshot, count_of(&common, &sums[0].protocols[i], &sums[1].protocols[i]));
    }
    return r;
}

static int add_link(struct snapshot *snapshot, struct counted_link *link, uint32_t netns)
{
    struct packet_sums sums[2];
    struct packet_count common = {.netns = netns, .ifindex = link->ifindex};
    const char *source = read_link(link, sums, &common.lost);
    int r = snapshot_intern(snapshot, link->name, strlen(link->name), &common.iface);

    if (r == 0)
        r = snapshot_intern(snapshot, source, strlen(source), &common.source);
    common.all_packets =
        sums[0].protocols[CLASS_TOTAL].packets + sums[1].protocols[CLASS_TOTAL].packets;
    snapshot_source(snapshot, "packets", source);
    if (common.lost)
        snapshot_note(snapshot, NOTE_DETAIL, "packet socket", 0,
                      "%s: %llu packets were not counted, the kernel had no room for them: shares "
                      "and sums are too small by these",
                      link->name, (unsigned long long)common.lost);
    if (r == 0)
        r = add_sizes(snapshot, common, link->mtu, (const struct packet_sums *)sums);
    return r == 0 ? add_protocols(snapshot, common, (const struct packet_sums *)sums) : r;
}

/* Adds what was counted so far. */
static int collect_packets(struct collection *collection)
{
    struct packet_counts *counts = collection->request->packet_counts;
    struct snapshot *snapshot = collection->snapshot;
    int r = 0;

    for (uint32_t i = 0; counts && i < counts->count && r == 0; i++) {
        uint32_t netns;

        r = snapshot_add_netns(snapshot, counts->links[i].inode, &netns);
        if (r == 0)
            r = add_link(snapshot, &counts->links[i], netns);
    }
    return r;
}

const struct collector collector_packet_counts = {
    .name = "packet_counts",
    .provides = NEED_PACKET_COUNTS,
    .collect = collect_packets,
};
