/* SPDX-License-Identifier: MIT */
/* Records of TCP sockets, minisockets too, as they stand in the kernel's tables. */
#pragma once

#include "socket.bpf.h"

struct socket_record {
    struct record_head head;
    struct record_socket socket;
    struct record_tcp tcp;
};

/*
 * The one that is being made. Not on the stack, whose content the verifier would remember at each
 * branch: that takes a third of its time. A loaded program has one reader.
 */
static struct socket_record record;

/* Most sockets are not wanted, and only their head is made. False: not even that. */
static __always_inline bool begin_record(const struct sock_common *skc, const struct net *net)
{
    record.head = (struct record_head){0};
    return fill_head(&record.head, skc, net, PROTO_TCP);
}

static __always_inline void begin_body(void)
{
    record.socket = (struct record_socket){0};
    record.tcp = (struct record_tcp){0};
}

static __always_inline bool state_wanted(__u8 state)
{
    return filter.states & STATE_BIT(state & 31);
}

static __always_inline void write_socket(struct seq_file *seq)
{
    record.head.parts = RECORD_SOCKET;
    record.head.size = offsetof(struct socket_record, tcp);
    bpf_seq_write(seq, &record, offsetof(struct socket_record, tcp));
}

static __always_inline void write_details(struct seq_file *seq)
{
    record.head.parts = RECORD_SOCKET | RECORD_TCP;
    record.head.size = sizeof(record);
    bpf_seq_write(seq, &record, sizeof(record));
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

static __always_inline void write_head(struct seq_file *seq)
{
    record.head.size = sizeof(record.head);
    bpf_seq_write(seq, &record.head, sizeof(record.head));
}

/* Whether the socket of the head has been counted here: whoever includes this may say how. */
#ifndef COUNT_STATE
#define COUNT_STATE() false
#endif

static __always_inline bool is_counted(struct seq_file *seq)
{
    if (!(filter.brief_states & STATE_BIT(record.head.state & 31)))
        return false;
    if (!COUNT_STATE())
        write_head(seq);
    return true;
}

/* By the struct that has both, which saves a look at the file. */
static __always_inline __u32 inode_beside(struct inet_sock *inet, struct socket *socket)
{
    const struct socket_alloc *alloc = FOR_READING(struct socket_alloc, socket);

    if (bpf_core_field_exists(inet->sk.sk_ino))
        return inet->sk.sk_ino;
    return alloc && alloc->socket.file ? alloc->vfs_inode.i_ino : 0;
}

/*
 * From the iterator of one namespace, or from the table of all of them: such a socket the verifier
 * does not trust so far that it may be given the cookie that it lacks. Its cgroup is not told.
 */
enum origin {
    FROM_ITERATOR,
    FROM_TABLE,
};

static __always_inline void take_sock(struct seq_file *seq, struct tcp_sock *tp, enum origin origin)
{
    struct inet_sock *inet = &tp->inet_conn.icsk_inet;
    struct sock_links links = {0};

    if (origin == FROM_ITERATOR)
        links = sock_links(inet);
    else if (filter.signs & SIGN_WAITING) /* the less is looked at of those that are calm, the
                                             better */
        links.socket = inet->sk.sk_socket;
    if (is_counted(seq) || !state_wanted(record.head.state))
        return;
    if (is_calm(tp, &links)) {
        filter.signless++;
        return;
    }
    begin_body();
    if (origin == FROM_TABLE)
        links = sock_links(inet);
    record.head.cookie = origin == FROM_ITERATOR ? bpf_get_socket_cookie(tp)
                                                 : inet->sk.__sk_common.skc_cookie.counter;
    if (filter.brief && is_held(inet, &links)) {
        write_head(seq);
        return;
    }
    record.head.inode = origin == FROM_ITERATOR ? socket_inode(inet, links.socket)
                                                : inode_beside(inet, links.socket);
    fill_sock(&record.socket, inet, &links);
    if (origin == FROM_ITERATOR)
        fill_cgroup(&record.socket, &links);
    if (!record.head.cookie)
        record.socket.has &= ~(__u32)SOCKET_HAS_COOKIE;
    fill_inet(&record.socket, &inet->sk.__sk_common);
    fill_tcp(&record.socket, tp);
    if (fill_details(&record.tcp, tp))
        write_details(seq);
    else
        write_socket(seq);
}

static __always_inline void fill_mini(const struct sock_common *skc)
{
    begin_body();
    fill_inet(&record.socket, skc);
    record.head.cookie = skc->skc_cookie.counter;
    record.socket.type = SOCK_STREAM;
    record.socket.flags |= SOCKET_REPLY_ONLY;
    record.socket.has |= SOCKET_HAS_QUEUES | SOCKET_HAS_TIMER | SOCKET_HAS_INODE | SOCKET_HAS_MARK;
    if (record.head.cookie)
        record.socket.has |= SOCKET_HAS_COOKIE;
}

static __always_inline void take_timewait(struct seq_file *seq, struct tcp_timewait_sock *timewait)
{
    record.head.state = timewait->tw_sk.tw_substate;
    if (is_counted(seq) || !state_wanted(record.head.state))
        return;
    fill_mini(&timewait->tw_sk.__tw_common);
    record.socket.mark = timewait->tw_sk.tw_mark;
    set_timer(&record.socket, TIMER_TIMEWAIT, 0, timewait->tw_sk.tw_timer.expires);
    write_socket(seq);
}

static __always_inline void take_request(struct seq_file *seq, struct inet_request_sock *request)
{
    if (is_counted(seq) || !state_wanted(STATE_SYN_RECV))
        return;
    fill_mini(&request->req.__req_common);
    record.socket.mark = request->ir_mark;
    set_timer(&record.socket, TIMER_RETRANSMIT, request->req.num_retrans,
              request->req.rsk_timer.expires);
    write_socket(seq);
}
