/* SPDX-License-Identifier: MIT */
/* Reconciliation: interface = named + headers + forwarded + unowned. */
/*
 * Named is exact: the payload of flows. An interface counts every packet with one header, also the
 * large ones that are cut up later (GSO), and packets of acknowledgement only; so headers follow
 * from its own number of packets. Packets that were forwarded are counted for a whole namespace,
 * without their bytes. The rest is what no socket had: the kernel's answers, what others
 * send to packet sockets, what was thrown away. A socket takes bytes before they are sent, and
 * interfaces and flows are read one after the other: what flows have too much is kept for the next
 * reading. It is halved each time, as some of it may never come: a datagram that was thrown away
 * before it reached the interface. A datagram socket without an address of its own receives by any
 * interface: what such flows of a namespace have is named where bytes are left over, on each
 * interface in proportion to them.
 */
#include "derive/reconcile.h"

#include "base/map.h"
#include "base/rate.h"
#include "derive/address.h"

#include <linux/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#define ETHERNET_HEADER 14
#define IPV4_TCP_HEADERS (20 + 32) /* with time stamps, as Linux sends them */
#define IPV6_TCP_HEADERS (40 + 32)
#define FORWARDED_MAX 65550 /* bytes of the largest packet that the kernel passes on */

/* What flows say of one interface, in bytes. */
struct named {
    struct traffic bytes;
    bool ipv6;
};

struct reconciler {
    const struct snapshot *now, *before;
    const struct rates *earlier; /* of `before`; NULL: there are none */
    struct map interfaces;       /* namespace and ifindex -> index of the interface */
    struct named *named;         /* owned; one for each interface */
    uint64_t *forwarded;         /* owned; packets, one for each namespace */
    struct traffic *unbound;     /* owned; of flows by no known interface, likewise */
    struct traffic *left;        /* owned; bytes that these may be, likewise */
};

static uint64_t interface_key(uint32_t netns, uint32_t ifindex)
{
    return (uint64_t)netns << 32 | ifindex;
}

static int index_interfaces(struct reconciler *reconciler)
{
    const struct snapshot *now = reconciler->now;
    int r = 0;

    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++)
        r = map_set(&reconciler->interfaces,
                    interface_key(now->interfaces[i].netns, now->interfaces[i].ifindex), i);
    return r;
}

static void add_flows(struct reconciler *reconciler)
{
    for (uint32_t i = 0; i < reconciler->now->flows_count; i++) {
        const struct flow *flow = &reconciler->now->flows[i];
        uint32_t interface =
            map_get(&reconciler->interfaces, interface_key(flow->netns, flow->ifindex));

        if (!flow->ifindex && !(flow->flags & FLOW_OTHER))
            traffic_add(&reconciler->unbound[flow->netns], flow->window[FLOW_LAST]);
        if (interface == MAP_NONE)
            continue;
        traffic_add(&reconciler->named[interface].bytes, flow->window[FLOW_LAST]);
        reconciler->named[interface].ipv6 |=
            flow->family == AF_INET6 && !address_is_mapped(flow->family, &flow->local);
    }
}

static void add_forwarded(struct reconciler *reconciler, const struct rates *rates)
{
    const struct snapshot *now = reconciler->now;

    for (uint32_t i = 0; i < now->counters_count; i++) {
        const char *name = snapshot_string(now, now->counters[i].name, NULL);

        if (rates->counters[i].known && rates->counters[i].delta > 0 &&
            (strcmp(name, "IpForwDatagrams") == 0 || strcmp(name, "Ip6OutForwDatagrams") == 0))
            reconciler->forwarded[now->counters[i].netns] += (uint64_t)rates->counters[i].delta;
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct counted {
    uint64_t bytes, packets; /* by the interface */
    uint64_t named;
    uint64_t header;            /* bytes of one */
    uint64_t forwarded_packets; /* of the whole namespace */
    const struct interface_shares *earlier;
};

/* What is too much now comes later; half of what was too much before may still come. */
static uint64_t carry(uint64_t excess, uint64_t fresh, uint64_t carried)
{
    return least(excess, fresh + carried / 2);
}

static struct interface_shares share(const struct counted *counted)
{
    const struct interface_shares *earlier = counted->earlier;
    uint64_t named = counted->named + earlier->ahead;
    uint64_t forwarded = counted->forwarded_packets + earlier->forwarded_ahead;
    uint64_t forwarded_packets = least(forwarded, counted->packets);
    struct interface_shares shares = {.named = least(named, counted->bytes)};
    uint64_t rest = counted->bytes - shares.named;

    shares.headers = least(rest, (counted->packets - forwarded_packets) * counted->header);
    shares.forwarded = least(rest - shares.headers, forwarded_packets * FORWARDED_MAX);
    shares.unowned = rest - shares.headers - shares.forwarded;
    shares.ahead = carry(named - shares.named, counted->named, earlier->ahead);
    shares.forwarded_ahead =
        carry(forwarded - forwarded_packets, counted->forwarded_packets, earlier->forwarded_ahead);
    return shares;
}

static const struct interface_rate *rate_before(const struct reconciler *reconciler,
                                                uint32_t before_index)
{
    static const struct interface_rate none = {.known = false};
    const struct rates *earlier = reconciler->earlier;

    return earlier && earlier->interfaces ? &earlier->interfaces[before_index] : &none;
}

static void share_interface(const struct reconciler *reconciler, uint32_t now_index,
                            struct interface_rate *rate)
{
    const struct interface *interface = &reconciler->now->interfaces[now_index];
    const struct link_stats *now = &interface->stats;
    const struct link_stats *before = &reconciler->before->interfaces[rate->before].stats;
    const struct named *named = &reconciler->named[now_index];
    const struct interface_rate *earlier = rate_before(reconciler, rate->before);
    uint64_t header = named->ipv6 ? IPV6_TCP_HEADERS : IPV4_TCP_HEADERS;
    uint64_t forwarded = interface->type == ARPHRD_LOOPBACK /* nothing is forwarded through it */
                             ? 0
                             : reconciler->forwarded[interface->netns];
    struct counted rx = {.bytes = rate->rx_bytes,
                         .packets = now->rx_packets - before->rx_packets,
                         .named = named->bytes.rx_bytes,
                         .forwarded_packets = forwarded,
                         .earlier = &earlier->rx_shares};
    struct counted tx = {.bytes = rate->tx_bytes,
                         .packets = now->tx_packets - before->tx_packets,
                         .named = named->bytes.tx_bytes,
                         .forwarded_packets = forwarded,
                         .earlier = &earlier->tx_shares};

    if (interface->type == ARPHRD_ETHER || interface->type == ARPHRD_LOOPBACK)
        header += ETHERNET_HEADER;
    if (rx.named || tx.named || rx.earlier->ahead || tx.earlier->ahead)
        rx.header = tx.header = header;
    rate->shares_known = true;
    rate->rx_shares = share(&rx);
    rate->tx_shares = share(&tx);
}

static void share_interfaces(struct reconciler *reconciler, struct rates *rates)
{
    for (uint32_t i = 0; i < reconciler->now->interfaces_count; i++)
        if (rates->interfaces[i].known)
            share_interface(reconciler, i, &rates->interfaces[i]);
}

static uint64_t in_proportion(uint64_t bytes, uint64_t part, uint64_t all)
{
    return all ? uint64_of((double)bytes * (double)part / (double)all) : 0;
}

/* From the first shares, which are of what is known by its addresses. What stands on others has the
 * same bytes once more, and so has the same of them. */
static void add_unbound(struct reconciler *reconciler, const struct rates *rates)
{
    const struct snapshot *now = reconciler->now;

    for (uint32_t i = 0; i < now->interfaces_count; i++) {
        const struct interface_rate *rate = &rates->interfaces[i];
        struct traffic left = {rate->rx_shares.unowned, rate->tx_shares.unowned};

        if (rate->known && !reconcile_is_stacked(now, &now->interfaces[i]))
            traffic_add(&reconciler->left[now->interfaces[i].netns], left);
    }
    for (uint32_t i = 0; i < now->interfaces_count; i++) {
        const struct interface_rate *rate = &rates->interfaces[i];
        const struct traffic *unbound = &reconciler->unbound[now->interfaces[i].netns];
        const struct traffic *left = &reconciler->left[now->interfaces[i].netns];
        struct traffic more = {
            in_proportion(unbound->rx_bytes, rate->rx_shares.unowned, left->rx_bytes),
            in_proportion(unbound->tx_bytes, rate->tx_shares.unowned, left->tx_bytes)};

        if (rate->known)
            traffic_add(&reconciler->named[i].bytes, more);
    }
}

bool reconcile_is_stacked(const struct snapshot *snapshot, const struct interface *interface)
{
    const char *kind = snapshot_string(snapshot, interface->kind, NULL);

    return interface->lower || strcmp(kind, "bridge") == 0 || strcmp(kind, "bond") == 0;
}

static int begin(struct reconciler *reconciler)
{
    const struct snapshot *now = reconciler->now;

    reconciler->named = calloc(now->interfaces_count + 1u, sizeof(*reconciler->named));
    reconciler->forwarded = calloc(now->netns_count + 1u, sizeof(*reconciler->forwarded));
    reconciler->unbound = calloc(now->netns_count + 1u, sizeof(*reconciler->unbound));
    reconciler->left = calloc(now->netns_count + 1u, sizeof(*reconciler->left));
    if (!reconciler->named || !reconciler->forwarded || !reconciler->unbound || !reconciler->left)
        return -ENOMEM;
    return index_interfaces(reconciler);
}

static void end(struct reconciler *reconciler)
{
    map_done(&reconciler->interfaces);
    free(reconciler->named);
    free(reconciler->forwarded);
    free(reconciler->unbound);
    free(reconciler->left);
}

int reconcile(const struct snapshot *now, const struct snapshot *before,
              const struct rates *earlier, struct rates *rates)
{
    struct reconciler reconciler = {.now = now, .before = before, .earlier = earlier};
    int r;

    if (now->accounting <= ACCOUNTING_INTERFACES || before->accounting != now->accounting)
        return 0;
    r = begin(&reconciler);
    if (r == 0) {
        add_flows(&reconciler);
        add_forwarded(&reconciler, rates);
        share_interfaces(&reconciler, rates);
        add_unbound(&reconciler, rates);
        share_interfaces(&reconciler, rates);
    }
    end(&reconciler);
    return r;
}
