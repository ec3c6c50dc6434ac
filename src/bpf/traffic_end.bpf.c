/* SPDX-License-Identifier: MIT */
/* The last counters of each TCP socket, when it is destroyed. */
#include "traffic.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, TRAFFIC_RING_SIZE);
} ring SEC(".maps");

/* Who runs here is nobody in particular: most often it is the work for a packet. */
SEC("tp_btf/tcp_destroy_sock")
int tell_end(__u64 *ctx)
{
    struct sock *sk = (struct sock *)ctx[0];
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct traffic_tcp record = {0};

    if (!tp || carries_other(tp))
        return 0;
    record.cookie = sk->__sk_common.skc_cookie.counter;
    /* Nobody ever asked for its cookie, so that there is nothing to be settled. */
    if (!fill_counters(&record.counters, tp) ||
        (!record.cookie && !record.counters.rx_bytes && !record.counters.tx_bytes))
        return 0;
    record.cookie = bpf_get_socket_cookie(sk);
    fill_socket(&record.socket, &tp->inet_conn.icsk_inet);
    tell(&ring, &record, sizeof(record));
    return 0;
}
