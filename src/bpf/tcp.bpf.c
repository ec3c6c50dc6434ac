/* SPDX-License-Identifier: MIT */
/* Every hashed TCP socket of the reader's network namespace, minisockets too. */
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct socket_record {
    struct record_head head;
    struct record_socket socket;
    struct record_tcp tcp;
};

static __always_inline bool state_wanted(__u8 state)
{
    return filter.states & STATE_BIT(state & 31);
}

static __always_inline void write_socket(struct seq_file *seq, struct socket_record *record)
{
    record->head.parts = RECORD_SOCKET;
    record->head.size = offsetof(struct socket_record, tcp);
    bpf_seq_write(seq, record, offsetof(struct socket_record, tcp));
}

static __always_inline void write_details(struct seq_file *seq, struct socket_record *record)
{
    record->head.parts = RECORD_SOCKET | RECORD_TCP;
    record->head.size = sizeof(*record);
    bpf_seq_write(seq, record, sizeof(*record));
}

/*
 * A socket of a process, most likely with a descriptor. Looking at its file would take another
 * cache line of every socket; the kernel's own, and the subflows of MPTCP, have a struct socket
 * too.
 */
static __always_inline bool is_held(struct inet_sock *inet, const struct sock_links *links)
{
    return links->socket && !BPF_CORE_READ_BITFIELD(inet, sk.sk_kern_sock);
}

static __always_inline bool is_counted(__u8 state)
{
    if (!(filter.counted_states & STATE_BIT(state & 31)))
        return false;
    filter.counted[state & 15]++;
    return true;
}

static __always_inline void take_sock(struct seq_file *seq, struct tcp_sock *tp)
{
    struct inet_sock *inet = &tp->inet_conn.icsk_inet;
    struct sock_links links = sock_links(inet);
    struct socket_record record = {0};

    if (!fill_head(&record.head, &inet->sk.__sk_common, links.net, PROTO_TCP) ||
        is_counted(record.head.state) || !state_wanted(record.head.state))
        return;
    if (is_calm(tp, &links)) {
        filter.signless++;
        return;
    }
    record.head.cookie = bpf_get_socket_cookie(tp);
    if (filter.brief && is_held(inet, &links)) {
        record.head.size = sizeof(record.head);
        bpf_seq_write(seq, &record.head, sizeof(record.head));
        return;
    }
    record.head.inode = socket_inode(inet, links.socket);
    fill_sock(&record.socket, inet, &links);
    fill_inet(&record.socket, &inet->sk.__sk_common);
    fill_tcp(&record.socket, tp);
    if (fill_details(&record.tcp, tp))
        write_details(seq, &record);
    else
        write_socket(seq, &record);
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

static __always_inline void take_timewait(struct seq_file *seq, struct tcp_timewait_sock *timewait)
{
    const struct sock_common *skc = &timewait->tw_sk.__tw_common;
    struct socket_record record = {0};

    if (!fill_head(&record.head, skc, skc->skc_net.net, PROTO_TCP))
        return;
    record.head.state = timewait->tw_sk.tw_substate;
    if (is_counted(record.head.state) || !state_wanted(record.head.state))
        return;
    fill_mini(&record, skc);
    record.socket.mark = timewait->tw_sk.tw_mark;
    set_timer(&record.socket, TIMER_TIMEWAIT, 0, timewait->tw_sk.tw_timer.expires);
    write_socket(seq, &record);
}

static __always_inline void take_request(struct seq_file *seq, struct inet_request_sock *request)
{
    const struct sock_common *skc = &request->req.__req_common;
    struct socket_record record = {0};

    if (!fill_head(&record.head, skc, skc->skc_net.net, PROTO_TCP) || is_counted(STATE_SYN_RECV) ||
        !state_wanted(STATE_SYN_RECV))
        return;
    fill_mini(&record, skc);
    record.socket.mark = request->ir_mark;
    set_timer(&record.socket, TIMER_RETRANSMIT, request->req.num_retrans,
              request->req.rsk_timer.expires);
    write_socket(seq, &record);
}

/* What the casts return is no pointer that the verifier trusts, which makes it quick to check. */
SEC("iter/tcp")
int walk_tcp(struct bpf_iter__tcp *ctx)
{
    struct seq_file *seq = ctx->meta->seq;
    struct sock_common *skc = ctx->sk_common;
    struct tcp_timewait_sock *timewait;
    struct tcp_request_sock *request;
    struct tcp_sock *tp;

    if (!skc)
        return 0;
    tp = bpf_skc_to_tcp_sock(skc);
    if (tp) {
        take_sock(seq, tp);
        return 0;
    }
    timewait = bpf_skc_to_tcp_timewait_sock(skc);
    if (timewait) {
        take_timewait(seq, timewait);
        return 0;
    }
    request = bpf_skc_to_tcp_request_sock(skc);
    if (request)
        take_request(seq, &request->req);
    return 0;
}
