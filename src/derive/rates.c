/* SPDX-License-Identifier: MIT */
/* Rates of sockets between two refreshes. */
#include "derive/rates.h"

#include "base/map.h"

bool tcp_payload_sent(const struct tcp_details *tcp, uint64_t *ret_bytes)
{
    if (!tcp || tcp->known < TCP_INFO_BYTES_RETRANS)
        return false;
    *ret_bytes = tcp->bytes_sent - tcp->bytes_retrans;
    return true;
}

bool tcp_payload_received(const struct tcp_details *tcp, uint64_t *ret_bytes)
{
    if (!tcp || tcp->known < TCP_INFO_BYTES_RECEIVED)
        return false;
    *ret_bytes = tcp->bytes_received;
    return true;
}

static int index_cookies(const struct snapshot *snapshot, struct map *ret_index)
{
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        if (snapshot->sockets[i].tcp && snapshot->sockets[i].cookie)
            r = map_set(ret_index, snapshot->sockets[i].cookie, i);
    return r;
}

static struct socket_rate rate_between(const struct tcp_details *now,
                                       const struct tcp_details *before, uint64_t elapsed_ns)
{
    uint64_t rx_now, rx_before, tx_now, tx_before;
    struct socket_rate rate = {.known = false};

    if (!tcp_payload_received(now, &rx_now) || !tcp_payload_received(before, &rx_before) ||
        !tcp_payload_sent(now, &tx_now) || !tcp_payload_sent(before, &tx_before))
        return rate;
    if (rx_now < rx_before || tx_now < tx_before)
        return rate;
    rate.known = true;
    rate.rx = (uint64_t)((double)(rx_now - rx_before) * 1e9 / (double)elapsed_ns);
    rate.tx = (uint64_t)((double)(tx_now - tx_before) * 1e9 / (double)elapsed_ns);
    return rate;
}

int rates_make(const struct snapshot *now, const struct snapshot *before, struct rates *ret_rates)
{
    CLEANUP(map_done) struct map index = {0};
    struct socket_rate *sockets;
    int r;

    if (now->boot_ns <= before->boot_ns)
        return 0;
    sockets = calloc(now->sockets_count + 1u, sizeof(*sockets));
    r = sockets ? index_cookies(before, &index) : -ENOMEM;
    if (r < 0) {
        free(sockets);
        return r;
    }
    for (uint32_t i = 0; i < now->sockets_count; i++) {
        uint32_t old = now->sockets[i].tcp ? map_get(&index, now->sockets[i].cookie) : MAP_NONE;

        if (old != MAP_NONE)
            sockets[i] = rate_between(snapshot_tcp(now, &now->sockets[i]),
                                      snapshot_tcp(before, &before->sockets[old]),
                                      now->boot_ns - before->boot_ns);
    }
    ret_rates->sockets = sockets;
    return 0;
}

void rates_done(struct rates *rates)
{
    free(rates->sockets);
    rates->sockets = NULL;
}
