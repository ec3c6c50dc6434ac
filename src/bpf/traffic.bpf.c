/* SPDX-License-Identifier: MIT */
/* Counts the bytes of every call that sends or receives, by socket and thread. */
/*
 * The tracepoints sock_send_length and sock_recv_length (since 6.3) are passed in the context of
 * the caller when a call of any protocol has moved its bytes, whichever way it was made: socket
 * calls, read and write, sendfile, splice to a socket, io_uring.
 *
 * WITHOUT_TRACEPOINTS: for older kernels, by the functions that all these ways lead to, when they
 * return. None of those is called directly, so that no compiler has made it a part of another.
 */
#include "traffic_split.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum {
    MSG_PEEK = 0x2,
    MSG_ERRQUEUE = 0x2000, /* what comes back from it was sent before */
};

/*
 * Acknowledgements come at any moment: the kernel moves bytes_acked before snd_una, so that they
 * are read the other way round, and the sum is never too small.
 */
static __always_inline __u64 tcp_written(struct tcp_sock *tp)
{
    __u32 acked = *(volatile __u32 *)&tp->snd_una;
    __u64 bytes = *(volatile __u64 *)&tp->bytes_acked;

    return bytes + (__u32)(*(volatile __u32 *)&tp->write_seq - acked);
}

/* The call has just returned. */
static __always_inline void fill_began(struct traffic_counters *began, const struct count *count)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(count->sk);
    struct traffic_counters now;

    began->rx_bytes = began->tx_bytes = ~0ULL;
    if (!tp)
        return;
    if (count->sent)
        began->tx_bytes = tcp_written(tp) - count->bytes;
    else if (fill_counters(&now, tp))
        began->rx_bytes = now.rx_bytes - count->bytes;
}

/* Behind the end of struct sock: without a cast it has to be copied. */
static __always_inline __u32 packet_ifindex(const struct sock *sk)
{
#ifdef WITHOUT_CASTS
    return BPF_CORE_READ((const struct packet_sock *)sk, ifindex);
#else
    return FOR_READING(struct packet_sock, sk)->ifindex;
#endif
}

static __always_inline void describe(struct traffic_flow *flow, const struct count *count)
{
    fill_user(&flow->user, FOR_READING(struct task_struct, bpf_get_current_task_btf()));
    fill_socket(&flow->socket, FOR_READING(struct inet_sock, count->sk));
    if (flow->socket.family == AF_PACKET && bpf_core_type_exists(struct packet_sock))
        flow->socket.ifindex = packet_ifindex(count->sk);
    fill_began(&flow->began, count);
}

/* What a packet socket receives is a copy of what others send and receive. */
static __always_inline bool has_traffic(__u16 family, bool sent)
{
    return is_inet(family) || (sent && family == AF_PACKET);
}

/* The end of a stream is no traffic, an empty datagram is. */
static __always_inline bool is_counted(const struct sock *sk, int bytes, int flags, bool sent)
{
    if (!has_traffic(sk->__sk_common.skc_family, sent) || flags & (MSG_PEEK | MSG_ERRQUEUE))
        return false;
    return bytes > 0 || (bytes == 0 && sk->sk_type != SOCK_STREAM);
}

static __always_inline int count(struct sock *sk, int bytes, int flags, bool sent)
{
    struct count count = {.sk = sk, .bytes = bytes, .number = 1, .sent = sent};
    struct traffic_caller *caller = state.split ? take_caller(sk) : NULL;
    __u64 id;

    if (!is_counted(sk, bytes, flags, sent))
        return 0;
    id = bpf_get_current_pid_tgid();
    count.key.cookie = socket_cookie(sk) ?: bpf_get_socket_cookie(sk);
    count.key.tid = (__u32)id;
    count.key.tgid = id >> 32;
    if (!caller || !count_peer(caller, &count))
        count_flow(&count, describe);
    return 0;
}

#ifdef WITHOUT_TRACEPOINTS

/* A program's context has the arguments of the function, and behind them what it returned. */
static __always_inline struct sock *sock_of(const __u64 *ctx)
{
    return ((struct socket *)ctx[0])->sk;
}

/* (socket, message, size) */
static __always_inline int count_sent_message(const __u64 *ctx)
{
    return count(sock_of(ctx), (int)ctx[3], 0, true);
}

/* (socket, message, size, flags) */
static __always_inline int count_received_message(const __u64 *ctx)
{
    return count(sock_of(ctx), (int)ctx[4], (int)ctx[3], false);
}

SEC("fexit/inet_sendmsg")
int count_send_v4(__u64 *ctx)
{
    return count_sent_message(ctx);
}

SEC("fexit/inet6_sendmsg")
int count_send_v6(__u64 *ctx)
{
    return count_sent_message(ctx);
}

SEC("fexit/packet_sendmsg")
int count_send_packet(__u64 *ctx)
{
    return count_sent_message(ctx);
}

/*
 * (socket, page, offset, size, flags): sendfile and splice, before 6.5. Protocols that cannot do it
 * send a message instead, UDP where the device cannot: of TCP alone nothing is counted twice.
 */
SEC("fexit/inet_sendpage")
int count_send_page(__u64 *ctx)
{
    struct sock *sk = sock_of(ctx);

    return sk->sk_protocol == IP_PROTO_TCP ? count(sk, (int)ctx[5], 0, true) : 0;
}

SEC("fexit/inet_recvmsg")
int count_receive_v4(__u64 *ctx)
{
    return count_received_message(ctx);
}

SEC("fexit/inet6_recvmsg")
int count_receive_v6(__u64 *ctx)
{
    return count_received_message(ctx);
}

/* Of raw sockets of IPv6. */
SEC("fexit/sock_common_recvmsg")
int count_receive_raw_v6(__u64 *ctx)
{
    return count_received_message(ctx);
}

#else

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

#endif
