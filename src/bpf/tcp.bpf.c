/* SPDX-License-Identifier: MIT */
/* Every hashed TCP socket of the reader's network namespace, minisockets too. */
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct socket_record {
    struct record_head head;
    struct record_socket socket;
};

static __always_inline bool state_wanted(__u8 state)
{
    return filter.states & STATE_BIT(state & 31);
}

static __always_inline void write_socket(struct seq_file *seq, struct socket_record *record)
{
    record->head.parts = RECORD_SOCKET;
    record->head.size = sizeof(*record);
    bpf_seq_write(seq, record, sizeof(*record));
}

/*
 * A socket of a process, most likely with a descriptor. Looking at its file would take another
 * cache line of every socket; the kernel's own, and the subflows of MPTCP, have a struct socket
 * too.
 */
static __always_inline bool is_held(struct sock *sk, const struct sock_links *links)
{
    return links->socket && !BPF_CORE_READ_BITFIELD(sk, sk_kern_sock);
}

static __always_inline void write_full(struct seq_file *seq, struct socket_record *record,
                                       struct tcp_sock *tp)
{
    struct sock *sk = &tp->inet_conn.icsk_inet.sk;
    struct sock_links links = sock_links(sk);

    record->head.cookie = bpf_get_socket_cookie(tp);
    if (filter.brief && is_held(sk, &links)) {
        record->head.size = sizeof(record->head);
        bpf_seq_write(seq, &record->head, sizeof(record->head));
        return;
    }
    record->head.inode = socket_inode(sk, links.socket);
    fill_sock(&record->socket, sk, &links);
    fill_inet(&record->socket, &sk->__sk_common);
    fill_tcp(&record->socket, tp);
    write_socket(seq, record);
}

static __always_inline void fill_mini(struct socket_record *record, const struct sock_common *skc)
{
    fill_inet(&record->socket, skc);
    record->head.cookie = skc->skc_cookie.counter;
    record->socket.type = SOCK_STREAM;
    record->socket.flags |= SOCKET_REPLY_ONLY;
    record->socket.has |= SOCKET_HAS_QUEUES | SOCKET_HAS_TIMER | SOCKET_HAS_INODE | SOCKET_HAS_MARK;
    if (record->head.cookie)
        record->socket.has |= SOCKET_HAS_COOKIE;
}

SEC("iter/tcp")
int walk_tcp(struct bpf_iter__tcp *ctx)
{
    struct seq_file *seq = ctx->meta->seq;
    struct sock_common *skc = ctx->sk_common;
    struct socket_record record = {0};
    struct tcp_timewait_sock *timewait;
    struct tcp_request_sock *request;
    struct tcp_sock *tp;
    struct net *net;

    if (!skc)
        return 0;
    net = skc->skc_net.net;
    PIN(net);
    if (!fill_head(&record.head, skc, net, PROTO_TCP))
        return 0;
    tp = bpf_skc_to_tcp_sock(skc);
    if (tp) {
        if (state_wanted(record.head.state))
            write_full(seq, &record, tp);
        return 0;
    }
    timewait = bpf_skc_to_tcp_timewait_sock(skc);
    if (timewait) {
        fill_mini(&record, &timewait->tw_sk.__tw_common);
        record.head.state = timewait->tw_sk.tw_substate;
        record.socket.mark = timewait->tw_sk.tw_mark;
        set_timer(&record.socket, TIMER_TIMEWAIT, 0, timewait->tw_sk.tw_timer.expires);
        if (state_wanted(record.head.state))
            write_socket(seq, &record);
        return 0;
    }
    request = bpf_skc_to_tcp_request_sock(skc);
    if (request) {
        fill_mini(&record, &request->req.req.__req_common);
        record.socket.mark = request->req.ir_mark;
        set_timer(&record.socket, TIMER_RETRANSMIT, request->req.req.num_retrans,
                  request->req.req.rsk_timer.expires);
        if (state_wanted(STATE_SYN_RECV))
            write_socket(seq, &record);
    }
    return 0;
}
