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
 * There are two halves of everything: one is counted into, the other was just read and emptied.
 * A reading exchanges them, and waits until no program can be at work on the old one any more.
 */
struct flows {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, TRAFFIC_FLOWS_MAX);
    __type(key, struct traffic_key);
    __type(value, struct traffic_flow);
};

struct flows flows_0 SEC(".maps"), flows_1 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 2);
    __type(key, __u32);
    __array(values, struct flows);
} halves SEC(".maps") = {.values = {&flows_0, &flows_1}};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, struct traffic_slots);
} slots SEC(".maps");

/* One call. */
struct call {
    struct sock *sk;
    void *flows; /* of the half that is counted into */
    struct traffic_key key;
    int bytes;
    bool sent;
};

/* Slots are of one processor, which is not interrupted by another call here. */
static __always_inline void add(struct traffic_sums *sums, const struct call *call)
{
    if (call->sent) {
        sums->tx_bytes += call->bytes;
        sums->tx_calls++;
    } else {
        sums->rx_bytes += call->bytes;
        sums->rx_calls++;
    }
}

/* A thread goes from one processor to the other: its sums in the hash are for all. */
static __always_inline void add_shared(struct traffic_sums *to, const struct traffic_sums *from)
{
    if (from->tx_calls) {
        __sync_fetch_and_add(&to->tx_bytes, from->tx_bytes);
        __sync_fetch_and_add(&to->tx_calls, from->tx_calls);
    }
    if (from->rx_calls) {
        __sync_fetch_and_add(&to->rx_bytes, from->rx_bytes);
        __sync_fetch_and_add(&to->rx_calls, from->rx_calls);
    }
}

static __always_inline bool is_same(const struct traffic_key *a, const struct traffic_key *b)
{
    return a->cookie == b->cookie && a->tid == b->tid && a->tgid == b->tgid;
}

/* The first call of this thread on this socket in the interval. */
static __always_inline void add_flow(const struct call *call)
{
    struct traffic_flow flow = {0};

    fill_user(&flow.user, bpf_get_current_task_btf());
    flow.user.cgroup_id = bpf_get_current_cgroup_id();
    fill_socket(&flow.socket, (struct inet_sock *)call->sk);
    add(&flow.sums, call);
    if (bpf_map_update_elem(call->flows, &call->key, &flow, BPF_NOEXIST))
        add_shared(flow.socket.proto == PROTO_TCP ? &state.other.tcp : &state.other.rest,
                   &flow.sums);
    else if (__sync_fetch_and_add(&state.made, 1) == TRAFFIC_FLOWS_MANY)
        give_notice();
}

/* Gives the slot to the flow of this call, which is in the hash, when it has asked often enough. */
static __always_inline void ask_for(struct traffic_slot *slot, const struct call *call)
{
    __u64 asking = call->key.cookie ^ ((__u64)call->key.tgid << 32 | call->key.tid);
    struct traffic_flow *old;

    if (slot->other != asking) {
        slot->other = asking;
        slot->streak = 0;
    }
    if (++slot->streak < TRAFFIC_STREAK)
        return;
    if (slot->key.cookie) {
        old = bpf_map_lookup_elem(call->flows, &slot->key);
        add_shared(old ? &old->sums : &state.other.rest, &slot->sums); /* it is always there */
    }
    slot->key = call->key;
    slot->sums = (struct traffic_sums){0};
}

static __always_inline void count_in_hash(struct traffic_slot *slot, const struct call *call)
{
    struct traffic_flow *flow = bpf_map_lookup_elem(call->flows, &call->key);
    struct traffic_sums sums = {0};

    if (!flow) {
        add_flow(call);
        return;
    }
    add(&sums, call);
    add_shared(&flow->sums, &sums);
    ask_for(slot, call);
}

/* The end of a stream is no traffic, an empty datagram is. */
static __always_inline bool is_counted(const struct sock *sk, int bytes, int flags)
{
    if (!is_inet(sk->__sk_common.skc_family) || flags & (MSG_PEEK | MSG_ERRQUEUE))
        return false;
    return bytes > 0 || (bytes == 0 && sk->sk_type != SOCK_STREAM);
}

static __always_inline int count(struct sock *sk, int bytes, int flags, bool sent)
{
    struct call call = {.sk = sk, .bytes = bytes, .sent = sent};
    __u32 half = *(volatile __u32 *)&state.half;
    struct traffic_slots *own;
    struct traffic_slot *slot;
    __u64 id;

    if (!is_counted(sk, bytes, flags))
        return 0;
    own = bpf_map_lookup_elem(&slots, &half);
    if (!own)
        return 0;
    id = bpf_get_current_pid_tgid();
    call.key.cookie = sk->__sk_common.skc_cookie.counter ?: bpf_get_socket_cookie(sk);
    call.key.tid = (__u32)id;
    call.key.tgid = id >> 32;
    slot = &own->slots[(call.key.cookie + call.key.tid) & (TRAFFIC_SLOTS - 1)];
    if (is_same(&slot->key, &call.key)) {
        add(&slot->sums, &call);
        return 0;
    }
    call.flows = bpf_map_lookup_elem(&halves, &half);
    if (call.flows)
        count_in_hash(slot, &call);
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
