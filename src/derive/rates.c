/* SPDX-License-Identifier: MIT */
/* Rates of sockets and interfaces between two refreshes. */
#include "derive/rates.h"

#include "base/map.h"
#include "base/rate.h"
#include "derive/rates_counters.h"
#include "derive/reconcile.h"

#include <string.h>

static int index_cookies(const struct snapshot *snapshot, struct map *ret_index)
{
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        if (snapshot->sockets[i].tcp && snapshot->sockets[i].cookie)
            r = map_set(ret_index, snapshot->sockets[i].cookie, i);
    return r;
}

/* recv_q is a part of what TCP has received. */
static bool is_unread(const struct socket *now, uint64_t rx_now, const struct socket *before,
                      uint64_t rx_before)
{
    return before->recv_q > 0 && now->recv_q > before->recv_q &&
           now->recv_q - before->recv_q == rx_now - rx_before;
}

static struct socket_rate rate_between(const struct snapshot *now_snapshot,
                                       const struct socket *now_socket,
                                       const struct snapshot *before_snapshot,
                                       const struct socket *before_socket)
{
    const struct tcp_details *now = snapshot_tcp(now_snapshot, now_socket);
    const struct tcp_details *before = snapshot_tcp(before_snapshot, before_socket);
    uint64_t elapsed_ns = now_snapshot->boot_ns - before_snapshot->boot_ns;
    uint64_t rx_now, rx_before, tx_now, tx_before;
    struct socket_rate rate = {.known = false};

    if (!tcp_payload_received(now, &rx_now) || !tcp_payload_received(before, &rx_before) ||
        !tcp_payload_sent(now, &tx_now) || !tcp_payload_sent(before, &tx_before))
        return rate;
    if (rx_now < rx_before || tx_now < tx_before)
        return rate;
    rate.known = true;
    rate.rx = per_second(rx_now - rx_before, elapsed_ns, 0);
    rate.tx = per_second(tx_now - tx_before, elapsed_ns, 0);
    rate.segments = now->segs_out - before->segs_out;
    rate.sent_again = now->total_retrans - before->total_retrans;
    rate.unread = is_unread(now_socket, rx_now, before_socket, rx_before);
    return rate;
}

static int rate_sockets(const struct snapshot *now, const struct snapshot *before,
                        struct rates *ret_rates)
{
    CLEANUP(map_done) struct map index = {0};
    struct socket_rate *sockets = calloc(now->sockets_count + 1u, sizeof(*sockets));
    int r;

    r = sockets ? index_cookies(before, &index) : -ENOMEM;
    if (r < 0) {
        free(sockets);
        return r;
    }
    for (uint32_t i = 0; i < now->sockets_count; i++) {
        uint32_t old = now->sockets[i].tcp ? map_get(&index, now->sockets[i].cookie) : MAP_NONE;

        if (old != MAP_NONE)
            sockets[i] = rate_between(now, &now->sockets[i], before, &before->sockets[old]);
    }
    ret_rates->sockets = sockets;
    return 0;
}

uint64_t interface_identity(const struct snapshot *snapshot, const struct interface *interface)
{
    return (uint64_t)snapshot->netns[interface->netns].inode << 32 | interface->ifindex;
}

static bool is_equal(const struct snapshot *now, uint32_t a, const struct snapshot *before,
                     uint32_t b)
{
    size_t now_length, before_length;
    const char *now_bytes = snapshot_string(now, a, &now_length);
    const char *before_bytes = snapshot_string(before, b, &before_length);

    return now_length == before_length && memcmp(now_bytes, before_bytes, now_length) == 0;
}

/* None, or all of it is zero as of lo. */
static bool has_address(const struct snapshot *snapshot, const struct interface *interface)
{
    const char *address = snapshot_string(snapshot, interface->address, NULL);

    return address[strspn(address, "0:")] != '\0';
}

/*
 * Whether two interfaces of one index are one: an index is given again on request (`ip link add
 * index`, restored containers). A hardware address is that of one of them, also when it was
 * renamed; without any the name decides. An interface whose hardware address was changed is taken
 * for another: better nothing is known of it than what another one did.
 */
static bool is_same_link(const struct snapshot *now, const struct interface *a,
                         const struct snapshot *before, const struct interface *b)
{
    if (!is_equal(now, a->address, before, b->address) || !is_equal(now, a->kind, before, b->kind))
        return false;
    return has_address(now, a) || is_equal(now, a->name, before, b->name);
}

/* Counters that go back are those of another one, or were set to zero. */
static bool has_gone_on(const struct interface *now, const struct interface *before)
{
    const struct link_stats *a = &before->stats, *b = &now->stats;

    return now->has & before->has & INTERFACE_HAS_STATS && b->rx_bytes >= a->rx_bytes &&
           b->tx_bytes >= a->tx_bytes && b->rx_packets >= a->rx_packets &&
           b->tx_packets >= a->tx_packets;
}

static struct interface_rate rate_of_link(const struct interface *now,
                                          const struct interface *before, uint64_t elapsed_ns)
{
    const struct link_stats *a = &before->stats, *b = &now->stats;
    struct interface_rate rate = {.known = true,
                                  .elapsed_ns = elapsed_ns,
                                  .rx_bytes = b->rx_bytes - a->rx_bytes,
                                  .tx_bytes = b->tx_bytes - a->tx_bytes};
    double second = 1e9 / (double)elapsed_ns;

    rate.rx = uint64_of((double)rate.rx_bytes * second);
    rate.tx = uint64_of((double)rate.tx_bytes * second);
    rate.rx_packets = uint64_of((double)(b->rx_packets - a->rx_packets) * second + 0.5);
    rate.tx_packets = uint64_of((double)(b->tx_packets - a->tx_packets) * second + 0.5);
    return rate;
}

static int rate_interfaces(const struct snapshot *now, const struct snapshot *before,
                           struct rates *ret_rates)
{
    CLEANUP(map_done) struct map index = {0};
    struct interface_rate *rates = calloc(now->interfaces_count + 1u, sizeof(*rates));
    int r = rates ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < before->interfaces_count && r == 0; i++)
        r = map_set(&index, interface_identity(before, &before->interfaces[i]), i);
    if (r < 0) {
        free(rates);
        return r;
    }
    for (uint32_t i = 0; i < now->interfaces_count; i++) {
        const struct interface *interface = &now->interfaces[i];
        uint32_t old = map_get(&index, interface_identity(now, interface));

        if (old == MAP_NONE || !has_gone_on(interface, &before->interfaces[old]) ||
            !is_same_link(now, interface, before, &before->interfaces[old]))
            continue;
        rates[i] =
            rate_of_link(interface, &before->interfaces[old], now->boot_ns - before->boot_ns);
        rates[i].before = old;
    }
    ret_rates->interfaces = rates;
    return 0;
}

/* One counter brings them all, each time in the same order. */
static bool is_same_count(const struct packet_count *now, const struct packet_count *before)
{
    return now->ifindex == before->ifindex && now->protocol == before->protocol &&
           now->bracket == before->bracket && now->rx_packets >= before->rx_packets &&
           now->tx_packets >= before->tx_packets;
}

static int rate_packets(const struct packet_count *now, uint32_t count,
                        const struct packet_count *before, uint32_t count_before,
                        uint64_t elapsed_ns, struct packet_rate **ret_rates)
{
    struct packet_rate *rates = calloc(count + 1u, sizeof(*rates));
    double second = 1e9 / (double)elapsed_ns;

    if (!rates)
        return -ENOMEM;
    for (uint32_t i = 0; i < count && i < count_before; i++)
        if (is_same_count(&now[i], &before[i]))
            rates[i] = (struct packet_rate){
                .known = true,
                .rx = uint64_of((double)(now[i].rx_packets - before[i].rx_packets) * second + 0.5),
                .tx = uint64_of((double)(now[i].tx_packets - before[i].tx_packets) * second + 0.5),
            };
    *ret_rates = rates;
    return 0;
}

int rates_make(const struct snapshot *now, const struct snapshot *before,
               const struct rates *earlier, struct rates *ret_rates)
{
    struct rates rates = {0};
    uint64_t elapsed_ns = now->boot_ns - before->boot_ns;
    int r;

    if (now->boot_ns <= before->boot_ns)
        return 0;
    r = rate_sockets(now, before, &rates);
    if (r == 0)
        r = rate_packets(now->packet_sizes, now->packet_sizes_count, before->packet_sizes,
                         before->packet_sizes_count, elapsed_ns, &rates.packet_sizes);
    if (r == 0)
        r = rate_packets(now->packet_protocols, now->packet_protocols_count,
                         before->packet_protocols, before->packet_protocols_count, elapsed_ns,
                         &rates.packet_protocols);
    if (r == 0)
        r = rate_interfaces(now, before, &rates);
    if (r == 0)
        r = rates_of_counters(now, before, &rates);
    if (r == 0)
        r = reconcile(now, before, earlier, &rates);
    if (r < 0)
        rates_done(&rates);
    else
        *ret_rates = rates;
    return r;
}

void rates_done(struct rates *rates)
{
    free(rates->sockets);
    free(rates->interfaces);
    free(rates->counters);
    free(rates->packet_sizes);
    free(rates->packet_protocols);
    *rates = (struct rates){0};
}
