/* SPDX-License-Identifier: MIT */
/* Adds up what unconnected UDP sockets exchange by peer, as long as somebody asks for it. */
/*
 * The hooks of traffic_peers.bpf.c remember each call, which is counted when it returns. The maps
 * are that program's, put in here when it is loaded. An interval ends when the one that is counted
 * into is exchanged for another.
 */
#pragma once

#include "traffic_count.bpf.h"
#include "traffic_peer.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, PEER_FLOWS(1));
} peer_flows SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, PEER_CALLERS(1));
} peer_callers SEC(".maps");

/* This thread's call, if it was of this socket and said its peer: it is counted now, or never. */
static __always_inline struct traffic_caller *take_caller(struct sock *sk)
{
    __u64 id = bpf_get_current_pid_tgid();
    struct traffic_caller *caller;
    __u32 only = 0;
    void *callers;

    if (sk->sk_type != SOCK_DGRAM)
        return NULL;
    callers = bpf_map_lookup_elem(&peer_callers, &only);
    if (!callers)
        return NULL;
    caller = bpf_map_lookup_elem(callers, &id);
    if (!caller || !caller->waits || caller->key.key.cookie != (__u64)socket_cookie(sk))
        return NULL;
    caller->waits = 0;
    return caller;
}

/* False: there is no room. What is counted here is not in the flow without a peer. */
static __always_inline bool count_peer(struct traffic_caller *caller, const struct count *count)
{
    struct traffic_sums sums = {0};
    struct traffic_flow *known;
    __u32 only = 0;
    void *flows = bpf_map_lookup_elem(&peer_flows, &only);

    if (!flows)
        return false;
    add(&sums, count);
    known = bpf_map_lookup_elem(flows, &caller->key);
    if (known) {
        add_shared(&known->sums, &sums);
        return true;
    }
    caller->flow.sums = sums;
    if (bpf_map_update_elem(flows, &caller->key, &caller->flow, BPF_NOEXIST) == 0)
        return true;
    __sync_fetch_and_add(&state.unsplit, 1);
    return false;
}
