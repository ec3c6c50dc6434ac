/* SPDX-License-Identifier: MIT */
/* Fills the records from the kernel's sockets. */
/*
 * Every field is read directly through its typed pointer: the helpers that copy kernel memory are
 * refused when the kernel is locked down for confidentiality, and a direct read through a stale
 * pointer gives 0 instead of a fault.
 */
#pragma once

#include "kernel.bpf.h"

/* Only its enums are used here; its struct must not take the name of the kernel's. */
#define socket model_socket
#include "model/socket.h"
#undef socket

#include "record.h"

/* From the kernel's headers; constants have no place in BTF. */
enum {
    AF_UNIX = 1,
    AF_INET = 2,
    AF_INET6 = 10,
    AF_NETLINK = 16,
    AF_PACKET = 17,
    AF_VSOCK = 40,
    SOCK_STREAM = 1,
    SOCK_DGRAM = 2,
    SOCK_RAW = 3,
    TCP_TIME_WAIT = 6,
    TCP_CLOSE = 7,
    TCP_LISTEN = 10,
    TCP_NEW_SYN_RECV = 12,
    IP_PROTO_ICMP = 1,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_DCCP = 33,
    IP_PROTO_ICMPV6 = 58,
    IP_PROTO_SCTP = 132,
    IP_PROTO_UDPLITE = 136,
    IP_PROTO_MPTCP = 262,
    SOCK_DONE_BIT = 1 << 1, /* skc_flags */
    /* icsk_pending */
    PENDING_RETRANSMIT = 1,
    PENDING_PROBE = 3,
    PENDING_LOSS_PROBE = 5,
    PENDING_REORDER = 6,
};

struct iterator_filter filter;

/*
 * The pointers of a socket, read once. For each pointer that is read from one the verifier trusts
 * (an argument of the program, and what hangs directly on it), the verifier of 6.x searches the
 * kernel's whole BTF by name, on every path anew: half of the time that loading takes. Therefore
 * the programs go on from a pointer that is not trusted (what a cast returns, what is read through
 * another) as early as they can.
 */
/*
 * Sockets of every family are looked at as struct inet_sock, which begins with struct sock: the
 * kernel caches the types that relocation looks for in 31 slots by the hash of their names, and
 * "sock" shares its slot with "kernfs_node", so that each would be searched for again and again.
 */
struct sock_links {
    struct net *net;
    struct socket *socket;
    struct cgroup *cgroup;
    struct numa_drop_counters *drops;
};

/* Keeps the compiler from moving a read behind a branch. */
#define PIN(pointer) asm volatile("" : "+r"(pointer))

static __always_inline struct sock_links sock_links(struct inet_sock *inet)
{
    struct sock_links links = {.net = inet->sk.__sk_common.skc_net.net,
                               .socket = inet->sk.sk_socket};

    if (bpf_core_field_exists(inet->sk.sk_cgrp_data.cgroup))
        links.cgroup = inet->sk.sk_cgrp_data.cgroup;
    if (bpf_core_field_exists(inet->sk.sk_drop_counters))
        links.drops = inet->sk.sk_drop_counters;
    PIN(links.net);
    PIN(links.socket);
    PIN(links.cgroup);
    PIN(links.drops);
    return links;
}

static __always_inline __u8 inet_proto(__u16 type, __u16 protocol)
{
    if (type == SOCK_RAW)
        return PROTO_RAW;
    switch (protocol) {
    case IP_PROTO_TCP:
        return PROTO_TCP;
    case IP_PROTO_UDP:
        return PROTO_UDP;
    case IP_PROTO_UDPLITE:
        return PROTO_UDPLITE;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        return PROTO_ICMP;
    case IP_PROTO_SCTP:
        return PROTO_SCTP;
    case IP_PROTO_DCCP:
        return PROTO_DCCP;
    case IP_PROTO_MPTCP:
        return PROTO_MPTCP;
    default:
        return PROTO_UNKNOWN;
    }
}

static __always_inline __u8 socket_proto(struct inet_sock *inet)
{
    switch (inet->sk.__sk_common.skc_family) {
    case AF_INET:
    case AF_INET6:
        return inet_proto(inet->sk.sk_type, inet->sk.sk_protocol);
    case AF_UNIX:
        return PROTO_UNIX;
    case AF_NETLINK:
        return PROTO_NETLINK;
    case AF_PACKET:
        return PROTO_PACKET;
    case AF_VSOCK:
        return PROTO_VSOCK;
    default:
        return PROTO_UNKNOWN;
    }
}

/* The states of TCP are also those of the others; only of TCP and UDP does skc_num mean a port. */
static __always_inline __u8 socket_state(const struct sock_common *skc, __u8 proto)
{
    __u8 state = skc->skc_state;

    if (state == TCP_NEW_SYN_RECV)
        return STATE_SYN_RECV;
    if (state == TCP_CLOSE && proto == PROTO_TCP && skc->skc_num)
        return STATE_BOUND_INACTIVE;
    return state < STATE_MAX ? state : STATE_UNKNOWN;
}

static __always_inline bool port_in(const struct port_range *range, __u16 port)
{
    return port >= range->low && port <= range->high;
}

static __always_inline bool is_inet(__u16 family)
{
    return family == AF_INET || family == AF_INET6;
}

static __always_inline bool ports_match(const struct sock_common *skc)
{
    __u16 local = skc->skc_num, peer = bpf_ntohs(skc->skc_dport);

    if (!port_in(&filter.local, local))
        return false;
    if (skc->skc_state == TCP_LISTEN) /* of a connection whose peer has the port, maybe */
        return true;
    if (!port_in(&filter.either, local) && !port_in(&filter.either, peer))
        return false;
    return port_in(&filter.peer, peer);
}

/*
 * Whether the filter wants this socket, but for its state. Fills the head, but for cookie, inode
 * and size. `net` 0: all are of one namespace, which is wanted.
 */
static __always_inline bool fill_head(struct record_head *head, const struct sock_common *skc,
                                      const struct net *net, __u8 proto)
{
    __u16 family = skc->skc_family;

    if (!(filter.protos & PROTO_BIT(proto)))
        return false;
    if (is_inet(family)) {
        if (!(filter.families & (1u << family)))
            return false;
        if ((filter.with_ports & PROTO_BIT(proto)) && !ports_match(skc))
            return false;
        head->local_port = skc->skc_num;
    }
    if (net)
        head->netns = net->ns.inum;
    if (net && filter.netns && filter.netns != head->netns)
        return false;
    head->proto = proto;
    head->family = family;
    head->state = socket_state(skc, proto);
    return true;
}

static __always_inline void copy_address(__u8 to[16], const __be32 from[4])
{
    __u32 *words = (__u32 *)to;

    words[0] = from[0];
    words[1] = from[1];
    words[2] = from[2];
    words[3] = from[3];
}

static __always_inline void fill_local(__u8 to[16], const struct sock_common *skc)
{
    if (skc->skc_family == AF_INET)
        *(__u32 *)to = skc->skc_rcv_saddr;
    else if (bpf_core_field_exists(skc->skc_v6_rcv_saddr))
        copy_address(to, skc->skc_v6_rcv_saddr.in6_u.u6_addr32);
}

static __always_inline void fill_peer(__u8 to[16], const struct sock_common *skc)
{
    if (skc->skc_family == AF_INET)
        *(__u32 *)to = skc->skc_daddr;
    else if (bpf_core_field_exists(skc->skc_v6_daddr))
        copy_address(to, skc->skc_v6_daddr.in6_u.u6_addr32);
}

/* Payload, each byte once. */
static __always_inline __u64 tcp_sent(const struct tcp_sock *tp)
{
    return tp->bytes_sent - tp->bytes_retrans;
}

/* The FIN of the other side came: it has a sequence number, and counts as a byte received. */
static __always_inline bool tcp_has_fin(const struct tcp_sock *tp)
{
    return tp->inet_conn.icsk_inet.sk.__sk_common.skc_flags & SOCK_DONE_BIT;
}

/* What every inet socket has, minisockets too: its fields are looked up once for all of them. */
static __noinline UNUSED void fill_inet(struct record_socket *record, const struct sock_common *skc)
{
    record->ifindex = skc->skc_bound_dev_if;
    record->peer_port = bpf_ntohs(skc->skc_dport);
    fill_local(record->local, skc);
    fill_peer(record->peer, skc);
    if (skc->skc_family != AF_INET && bpf_core_field_exists(skc->skc_v6_daddr)) {
        record->has |= SOCKET_HAS_V6ONLY;
        if (BPF_CORE_READ_BITFIELD(skc, skc_ipv6only))
            record->flags |= SOCKET_V6ONLY;
    }
}

/*
 * The open file of a socket. An MPTCP subflow points to the struct socket of its connection, which
 * is not its own.
 */
static __always_inline struct file *socket_file(struct inet_sock *inet, struct socket *socket)
{
    const struct socket_alloc *alloc = (const void *)socket;

    return socket && alloc->socket.sk == &inet->sk ? alloc->socket.file : 0;
}

static __always_inline __u32 socket_inode(struct inet_sock *inet, struct socket *socket)
{
    if (bpf_core_field_exists(inet->sk.sk_ino))
        return inet->sk.sk_ino;
    return socket && socket->file ? socket->file->f_inode->i_ino : 0;
}

/* What every full socket has. */
static __always_inline void fill_sock(struct record_socket *record, struct inet_sock *inet,
                                      const struct sock_links *links)
{
    record->uid = inet->sk.sk_uid.val;
    record->mark = inet->sk.sk_mark;
    record->type = inet->sk.sk_type;
    record->shutdown = inet->sk.sk_shutdown & 3;
    record->drops = links->drops ? links->drops->drops0.counter + links->drops->drops1.counter
                                 : inet->sk.sk_drops.counter;
    record->has |= SOCKET_HAS_COOKIE | SOCKET_HAS_UID | SOCKET_HAS_MARK | SOCKET_HAS_SHUTDOWN |
                   SOCKET_HAS_DROPS | SOCKET_HAS_FILE | SOCKET_HAS_INODE;
    if (socket_file(inet, links->socket))
        record->flags |= SOCKET_FILE;
    if (BPF_CORE_READ_BITFIELD(inet, sk.sk_kern_sock))
        record->flags |= SOCKET_KERNEL;
}

static __always_inline void fill_cgroup(struct record_socket *record,
                                        const struct sock_links *links)
{
    record->cgroup_id = links->cgroup->kn->id;
    if (record->cgroup_id)
        record->has |= SOCKET_HAS_CGROUP;
}

static __always_inline unsigned long retransmit_expires(struct tcp_sock *tp)
{
    struct inet_connection_sock *icsk = &tp->inet_conn;

    if (bpf_core_field_exists(icsk->icsk_timeout))
        return icsk->icsk_timeout;
    if (bpf_core_field_exists(icsk->icsk_inet.sk.tcp_retransmit_timer))
        return icsk->icsk_inet.sk.tcp_retransmit_timer.expires;
    return icsk->icsk_retransmit_timer.expires;
}

/* The keepalive timer's expiry, or 0 when it does not run. */
static __always_inline unsigned long keepalive_expires(struct tcp_sock *tp)
{
    struct inet_connection_sock *icsk = &tp->inet_conn;

    if (bpf_core_field_exists(icsk->icsk_keepalive_timer))
        return icsk->icsk_keepalive_timer.entry.pprev ? icsk->icsk_keepalive_timer.expires : 0;
    return icsk->icsk_inet.sk.sk_timer.entry.pprev ? icsk->icsk_inet.sk.sk_timer.expires : 0;
}

static __always_inline void set_timer(struct record_socket *record, __u8 timer, __u8 retransmits,
                                      unsigned long expires)
{
    record->timer = timer;
    record->retransmits = retransmits;
    record->timer_jiffies = (long)(expires - (unsigned long)bpf_jiffies64());
}

/* Which timer runs, in the order in which sock_diag looks. */
static __always_inline void fill_timer(struct record_socket *record, struct tcp_sock *tp)
{
    __u8 pending = tp->inet_conn.icsk_pending;
    unsigned long keepalive;

    record->has |= SOCKET_HAS_TIMER;
    if (pending == PENDING_RETRANSMIT || pending == PENDING_LOSS_PROBE ||
        pending == PENDING_REORDER) {
        set_timer(record, TIMER_RETRANSMIT, tp->inet_conn.icsk_retransmits, retransmit_expires(tp));
        return;
    }
    if (pending == PENDING_PROBE) {
        set_timer(record, TIMER_PERSIST, tp->inet_conn.icsk_probes_out, retransmit_expires(tp));
        return;
    }
    keepalive = keepalive_expires(tp);
    if (keepalive)
        set_timer(record, TIMER_KEEPALIVE, tp->inet_conn.icsk_probes_out, keepalive);
}

static __always_inline void fill_tcp(struct record_socket *record, struct tcp_sock *tp)
{
    struct inet_sock *inet = &tp->inet_conn.icsk_inet;
    __s32 waiting;

    record->has |= SOCKET_HAS_QUEUES;
    if (inet->sk.__sk_common.skc_state == TCP_LISTEN) {
        record->recv_q = inet->sk.sk_ack_backlog;
        record->send_q = inet->sk.sk_max_ack_backlog;
        record->has |= SOCKET_HAS_BACKLOG;
    } else {
        waiting = tp->rcv_nxt - tp->copied_seq;
        record->recv_q = waiting > 0 ? waiting : 0;
        record->send_q = tp->write_seq - tp->snd_una;
    }
    fill_timer(record, tp);
}

static __always_inline void fill_memory(struct record_tcp *record, struct inet_sock *inet)
{
    record->receive = inet->sk.sk_backlog.rmem_alloc.counter;
    record->receive_limit = inet->sk.sk_rcvbuf;
    record->send = inet->sk.sk_wmem_alloc.refs.counter - 1; /* one reference is the socket itself */
    record->send_limit = inet->sk.sk_sndbuf;
    record->forward = inet->sk.sk_forward_alloc;
    record->write_queue = inet->sk.sk_wmem_queued;
    record->option = inet->sk.sk_omem_alloc.counter;
    record->backlog = inet->sk.sk_backlog.len;
}

static __always_inline void fill_progress(struct record_tcp *record, struct tcp_sock *tp)
{
    __u32 now = bpf_jiffies64();

    record->bytes_acked = tp->bytes_acked;
    record->bytes_received = tp->bytes_received;
    record->bytes_retrans = tp->bytes_retrans;
    record->total_retrans = tp->total_retrans;
    record->data_segs_out = tp->data_segs_out;
    record->unacked = tp->packets_out;
    record->lost = tp->lost_out;
    record->mss = tp->mss_cache;
    record->pmtu = tp->inet_conn.icsk_pmtu_cookie;
    record->snd_wnd = tp->snd_wnd;
    record->rcv_wnd = tp->rcv_wnd;
    record->data_sent_jiffies = now - tp->lsndtime;
    record->data_recv_jiffies = now - tp->inet_conn.icsk_ack.lrcvtime;
    record->ack_recv_jiffies = now - tp->rcv_tstamp;
}

/* Whether this part is wanted. */
static __always_inline bool fill_details(struct record_tcp *record, struct tcp_sock *tp)
{
    if (!filter.details)
        return false;
    fill_memory(record, &tp->inet_conn.icsk_inet);
    fill_progress(record, tp);
    return true;
}

/* May be too much: what only routers know is taken for the internet. */
static __always_inline bool may_be_public(const struct sock_common *skc)
{
    __u32 address = skc->skc_daddr;
    __u32 first = 0;

    if (skc->skc_family == AF_INET6 && bpf_core_field_exists(skc->skc_v6_daddr)) {
        const __be32 *words = skc->skc_v6_daddr.in6_u.u6_addr32;

        first = bpf_ntohl(words[0]);
        if (first || words[1]) /* unique local and link-local ones */
            return first >> 25 != 0xfc >> 1 && first >> 22 != 0xfe80 >> 6;
        address = words[3];
    }
    address = bpf_ntohl(address);
    return address > 1 && address >> 24 != 127 && address >> 24 != 10 &&
           address >> 20 != (172 << 4 | 1) && address >> 16 != (192 << 8 | 168);
}

/* As ills and checks see it (derive/health): they decide, of what is not left out here. */
static __always_inline bool is_in_trouble(struct tcp_sock *tp)
{
    return tp->inet_conn.icsk_pending == PENDING_PROBE || tp->inet_conn.icsk_retransmits ||
           tp->bytes_retrans || (!tp->snd_wnd && tp->write_seq != tp->snd_una) ||
           (!tp->rcv_wnd && tp->rcv_nxt != tp->copied_seq);
}

static __always_inline bool is_idle(struct tcp_sock *tp)
{
    __u32 now = bpf_jiffies64();

    return !tp->inet_conn.icsk_pending && tp->write_seq == tp->snd_una &&
           now - tp->lsndtime >= filter.idle_ticks &&
           now - tp->inet_conn.icsk_ack.lrcvtime >= filter.idle_ticks && !keepalive_expires(tp);
}

/* Whether it is established and has no sign of those that are looked for. */
static __always_inline bool is_calm(struct tcp_sock *tp, const struct sock_links *links)
{
    const struct sock_common *skc = &tp->inet_conn.icsk_inet.sk.__sk_common;

    if (!filter.signs || skc->skc_state != STATE_ESTABLISHED)
        return false;
    if ((filter.signs & SIGN_WAITING) && !links->socket)
        return false;
    if ((filter.signs & SIGN_TROUBLE) && is_in_trouble(tp))
        return false;
    if ((filter.signs & SIGN_IDLE) && is_idle(tp))
        return false;
    return !((filter.signs & SIGN_PUBLIC) && may_be_public(skc));
}

static __always_inline void fill_udp(struct record_socket *record, struct udp_sock *up)
{
    struct inet_sock *inet = &up->inet;

    record->has |= SOCKET_HAS_QUEUES;
    record->recv_q = inet->sk.sk_backlog.rmem_alloc.counter - up->forward_deficit;
    record->send_q = inet->sk.sk_wmem_alloc.refs.counter - 1; /* one reference is the socket itself
                                                               */
}
