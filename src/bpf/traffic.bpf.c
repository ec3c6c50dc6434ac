/* SPDX-License-Identifier: MIT */
/* Counts the bytes of every call that sends or receives, by socket and thread. */
/*
 * The tracepoints sock_send_length and sock_recv_length (since 6.3) are passed in the context of
 * the caller when a call of any protocol has moved its bytes, whichever way it was made: socket
 * calls, read and write, sendfile, splice to a socket, io_uring.
 */
#include "traffic.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum {
    MSG_PEEK = 0x2,
    MSG_ERRQUEUE = 0x2000, /* what comes back from it was sent before */
};

/*
 * The hash that is counted into is exchanged for an empty one by each reading. A change of a map in
 * a map returns when no program can be at work on the old one any more (since 4.20), so that it is
 * then read and emptied in peace.
 */
struct flows {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, TRAFFIC_FLOWS_MAX);
    __type(key, struct traffic_key);
    __type(value, struct traffic_flow);
};

struct flows flows_0 SEC(".maps"), flows_1 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, struct flows);
} active SEC(".maps") = {.values = {&flows_0}};

static __always_inline void add(struct traffic_sums *sums, __u64 bytes, bool sent)
{
    if (sent) {
        __sync_fetch_and_add(&sums->tx_bytes, bytes);
        __sync_fetch_and_add(&sums->tx_calls, 1);
    } else {
        __sync_fetch_and_add(&sums->rx_bytes, bytes);
        __sync_fetch_and_add(&sums->rx_calls, 1);
    }
}

/* The first call of this thread on this socket in the interval. */
static __always_inline void add_flow(struct sock *sk, void *map, const struct traffic_key *key,
                                     int bytes, bool sent)
{
    struct traffic_flow flow = {0};

    fill_user(&flow.user, bpf_get_current_task_btf());
    flow.user.cgroup_id = bpf_get_current_cgroup_id();
    fill_socket(&flow.socket, (struct inet_sock *)sk);
    add(&flow.sums, bytes, sent);
    if (bpf_map_update_elem(map, key, &flow, BPF_NOEXIST))
        add(&state.other, bytes, sent);
    else if (__sync_fetch_and_add(&state.made, 1) == TRAFFIC_FLOWS_MANY)
        give_notice();
}

static __always_inline int count(struct sock *sk, int bytes, int flags, bool sent)
{
    struct traffic_key key;
    struct traffic_flow *flow;
    __u32 zero = 0;
    __u64 id;
    void *map;

    if (!is_inet(sk->__sk_common.skc_family) || flags & (MSG_PEEK | MSG_ERRQUEUE))
        return 0;
    /* The end of a stream is no traffic, an empty datagram is. */
    if (bytes < 0 || (!bytes && sk->sk_type == SOCK_STREAM))
        return 0;
    map = bpf_map_lookup_elem(&active, &zero);
    if (!map)
        return 0;
    id = bpf_get_current_pid_tgid();
    key.cookie = sk->__sk_common.skc_cookie.counter ?: bpf_get_socket_cookie(sk);
    key.tid = (__u32)id;
    key.tgid = id >> 32;
    flow = bpf_map_lookup_elem(map, &key);
    if (flow) {
        add(&flow->sums, bytes, sent);
        return 0;
    }
    add_flow(sk, map, &key, bytes, sent);
    return 0;
}

SEC("tp_btf/sock_send_length")
int count_send(__u64 *ctx)
{
    return count((struct sock *)ctx[0], (int)ctx[1], (int)ctx[2], true);
}

SEC("tp_btf/sock_recv_length")
int count_receive(__u64 *ctx)
{
    return count((struct sock *)ctx[0], (int)ctx[1], (int)ctx[2], false);
}
