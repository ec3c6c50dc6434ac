/* SPDX-License-Identifier: MIT */
/* Remembers the peer of each call of an unconnected UDP socket, until its bytes are counted. */
/*
 * The hooks of the root cgroup (since 4.18 of sending, 5.2 of receiving) are called in the context
 * of the caller, before a datagram is made and after one was copied, wherever an address is given
 * or asked for; the tracepoint that counts comes afterwards.
 */
#include "traffic_peer.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

PEER_FLOWS(TRAFFIC_PEERS_MAX) flows_0 SEC(".maps"), flows_1 SEC(".maps");
PEER_CALLERS(TRAFFIC_CALLERS_MAX) callers SEC(".maps");

static __always_inline void describe(struct traffic_flow *flow, struct sock *sk,
                                     const struct traffic_peer *peer)
{
    fill_user(&flow->user, bpf_get_current_task_btf());
    flow->user.cgroup_id = bpf_get_current_cgroup_id();
    fill_socket(&flow->socket, (struct inet_sock *)sk);
    flow->socket.split = 1;
    flow->socket.peer_port = peer->port;
    __builtin_memcpy(flow->socket.peer, peer->address, sizeof(peer->address));
}

/* Of a thread that makes its first call: NULL: there is no room. */
static __always_inline struct traffic_caller *find_caller(__u64 id)
{
    static const struct traffic_caller none;
    struct traffic_caller *caller = bpf_map_lookup_elem(&callers, &id);

    if (caller)
        return caller;
    bpf_map_update_elem(&callers, &id, &none, BPF_NOEXIST);
    return bpf_map_lookup_elem(&callers, &id);
}

static __always_inline void remember(struct bpf_sock_addr *ctx, struct sock *sk,
                                     struct traffic_peer *peer)
{
    __u64 id = bpf_get_current_pid_tgid();
    struct traffic_caller *caller;

    if (!state.split || sk->__sk_common.skc_dport) /* connected: it has that peer alone */
        return;
    caller = find_caller(id);
    if (!caller)
        return;
    peer->port = bpf_ntohs(ctx->user_port);
    caller->key.key.cookie = bpf_get_socket_cookie(ctx);
    caller->key.key.tid = (__u32)id;
    caller->key.key.tgid = id >> 32;
    caller->key.peer = *peer;
    describe(&caller->flow, sk, peer);
    caller->waits = 1;
}

/* A socket of IPv6 has an IPv4 address as a mapped one. */
static __always_inline int remember_v4(struct bpf_sock_addr *ctx)
{
    const struct bpf_sock_addr_kern *kernel = bpf_cast_to_kern_ctx(ctx);
    bool mapped = kernel->sk->__sk_common.skc_family == AF_INET6;
    struct traffic_peer peer = {0};
    __u32 address = ctx->user_ip4;

    if (mapped) {
        peer.address[10] = peer.address[11] = 0xff;
        __builtin_memcpy(peer.address + 12, &address, sizeof(address));
    } else {
        __builtin_memcpy(peer.address, &address, sizeof(address));
    }
    remember(ctx, kernel->sk, &peer);
    return 1;
}

static __always_inline int remember_v6(struct bpf_sock_addr *ctx)
{
    const struct bpf_sock_addr_kern *kernel = bpf_cast_to_kern_ctx(ctx);
    __u32 address[] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};
    struct traffic_peer peer = {0};

    __builtin_memcpy(peer.address, address, sizeof(address));
    remember(ctx, kernel->sk, &peer);
    return 1;
}

SEC("cgroup/sendmsg4")
int send_v4(struct bpf_sock_addr *ctx)
{
    return remember_v4(ctx);
}

SEC("cgroup/sendmsg6")
int send_v6(struct bpf_sock_addr *ctx)
{
    return remember_v6(ctx);
}

SEC("cgroup/recvmsg4")
int receive_v4(struct bpf_sock_addr *ctx)
{
    return remember_v4(ctx);
}

SEC("cgroup/recvmsg6")
int receive_v6(struct bpf_sock_addr *ctx)
{
    return remember_v6(ctx);
}
