/* SPDX-License-Identifier: MIT */
/* Adds up by flow, in two halves: one is counted into, the other was just read and emptied. */
/*
 * A reading exchanges the halves, and waits until no program can be at work on the old one any
 * more.
 */
#pragma once

#include "traffic.bpf.h"

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

/* One call or packet. */
struct count {
    struct sock *sk;
    void *flows; /* of the half that is counted into */
    struct traffic_key key;
    __u64 bytes;
    __u32 number; /* of packets, when it is cut up; else 1 */
    bool sent;
};

/* The program's own: fills all that is known of the flow but its sums. Inlined, as all the rest. */
typedef void describe_fn(struct traffic_flow *flow, const struct count *count);

static __always_inline __u64 socket_cookie(struct sock *sk)
{
    return sk->__sk_common.skc_cookie.counter;
}

static __always_inline void add(struct traffic_sums *sums, const struct count *count)
{
    if (count->sent) {
        sums->tx_bytes += count->bytes;
        sums->tx_count += count->number;
    } else {
        sums->rx_bytes += count->bytes;
        sums->rx_count += count->number;
    }
}

/* A thread goes from one processor to the other: its sums in the hash are for all. */
static __always_inline void add_shared(struct traffic_sums *to, const struct traffic_sums *from)
{
    if (from->tx_count) {
        __sync_fetch_and_add(&to->tx_bytes, from->tx_bytes);
        __sync_fetch_and_add(&to->tx_count, from->tx_count);
    }
    if (from->rx_count) {
        __sync_fetch_and_add(&to->rx_bytes, from->rx_bytes);
        __sync_fetch_and_add(&to->rx_count, from->rx_count);
    }
}

static __always_inline bool is_same(const struct traffic_key *a, const struct traffic_key *b)
{
    return a->cookie == b->cookie && a->tid == b->tid && a->tgid == b->tgid;
}

/* The first one of this flow in the interval. */
static __always_inline void add_flow(const struct count *count, describe_fn *describe)
{
    struct traffic_flow flow = {0};

    describe(&flow, count);
    add(&flow.sums, count);
    if (bpf_map_update_elem(count->flows, &count->key, &flow, BPF_NOEXIST))
        add_shared(flow.socket.proto == PROTO_TCP ? &state.other.tcp : &state.other.rest,
                   &flow.sums);
    else if (__sync_fetch_and_add(&state.made, 1) == TRAFFIC_FLOWS_MANY)
        give_notice();
}

/* Gives the slot to this flow, which is in the hash, when it has asked often enough. */
static __always_inline void ask_for(struct traffic_slot *slot, const struct count *count)
{
    __u64 asking = count->key.cookie ^ ((__u64)count->key.tgid << 32 | count->key.tid);
    struct traffic_flow *old;

    if (slot->other != asking) {
        slot->other = asking;
        slot->streak = 0;
    }
    if (++slot->streak < TRAFFIC_STREAK)
        return;
    if (slot->key.cookie) {
        old = bpf_map_lookup_elem(count->flows, &slot->key);
        add_shared(old ? &old->sums : &state.other.rest, &slot->sums); /* it is always there */
    }
    slot->key = count->key;
    slot->sums = (struct traffic_sums){0};
}

/* `slot`: NULL: it is not ours now. */
static __always_inline void count_in_hash(struct traffic_slot *slot, struct count *count,
                                          __u32 half, describe_fn *describe)
{
    struct traffic_sums sums = {0};
    struct traffic_flow *flow;

    count->flows = bpf_map_lookup_elem(&halves, &half);
    if (!count->flows)
        return;
    flow = bpf_map_lookup_elem(count->flows, &count->key);
    if (!flow) {
        add_flow(count, describe);
        return;
    }
    add(&sums, count);
    add_shared(&flow->sums, &sums);
    if (slot)
        ask_for(slot, count);
}

/*
 * Slots are of one processor, and of what is at work there: what interrupts it leaves them alone.
 */
static __always_inline void count_flow(struct count *count, describe_fn *describe)
{
    __u32 half = *(volatile __u32 *)&state.half;
    struct traffic_slots *own = bpf_map_lookup_elem(&slots, &half);
    struct traffic_slot *slot;

    if (!own)
        return;
    if (__sync_lock_test_and_set(&own->busy, 1)) {
        count_in_hash(NULL, count, half, describe);
        return;
    }
    slot = &own->slots[(count->key.cookie + count->key.tid) & (TRAFFIC_SLOTS - 1)];
    if (is_same(&slot->key, &count->key))
        add(&slot->sums, count);
    else
        count_in_hash(slot, count, half, describe);
    *(volatile __u64 *)&own->busy = 0;
}
