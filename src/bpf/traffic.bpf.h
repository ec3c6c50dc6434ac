/* SPDX-License-Identifier: MIT */
/* What the programs that count traffic share: facts of sockets and users, TCP's counters. */
#pragma once

#include "socket.bpf.h"
#include "task.bpf.h"

#include "traffic_record.h"

struct traffic_state state;

/*
 * The reader waits for this one, which only says that there is much to be read: it is woken up no
 * more than needed.
 */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} notice SEC(".maps");

static __always_inline void give_notice(void)
{
    __u64 word = 1;

    bpf_ringbuf_output(&notice, &word, sizeof(word), 0);
}

static __always_inline void fill_user(struct traffic_user *user, const struct task_struct *task)
{
    const struct task_struct *leader = task->group_leader;

    user->cgroup_id = task_cgroup(leader);
    user->pid = task_id(leader, state.pidns);
    user->tid = task_id(task, state.pidns);
    user->start_ns = leader->start_boottime;
    user->euid = task->cred->euid.val;
    user->ppid = task_id(leader->real_parent->group_leader, state.pidns);
    copy_comm(user->comm, task);
}

static __always_inline void fill_socket(struct traffic_socket *record, struct inet_sock *inet)
{
    const struct sock_common *skc = &inet->sk.__sk_common;

    record->netns = skc->skc_net.net->ns.inum;
    record->ifindex = skc->skc_bound_dev_if;
    if (!record->ifindex && bpf_core_field_exists(inet->sk.sk_rx_dst_ifindex)) /* since 5.16 */
        record->ifindex = inet->sk.sk_rx_dst_ifindex;
    record->family = skc->skc_family;
    record->proto = socket_proto(inet);
    if (record->proto != PROTO_RAW && record->proto != PROTO_ICMP)
        record->peer_port = bpf_ntohs(skc->skc_dport);
    record->local_port = skc->skc_num;
    if (!record->local_port) { /* given back, while what a reset connection had is still read */
        __be16 port = 0;

        bpf_probe_read_kernel(&port, sizeof(port), &inet->inet_sport);
        record->local_port = bpf_ntohs(port);
    }
    fill_local(record->local, skc);
    fill_peer(record->peer, skc);
}

/*
 * The sequence numbers of what arrived and of what was taken out are 32 bits wide, bytes_received
 * is not, and begins with them. The FIN has a sequence number and no byte: it is the last one, and
 * taken out when the application was told of the end. The kernel moves bytes_received and rcv_nxt
 * one after the other: where the socket is in use, both are looked at again.
 */
static __always_inline bool fill_counters(struct traffic_counters *counters, struct tcp_sock *tp)
{
    __u64 received = *(volatile __u64 *)&tp->bytes_received;
    __u32 next = *(volatile __u32 *)&tp->rcv_nxt;
    __u32 taken = *(volatile __u32 *)&tp->copied_seq;
    __u64 rx = received - (__u32)(next - taken);

    if (next == taken && tcp_has_fin(tp))
        rx--;
    counters->tx_bytes = tcp_sent(tp);
    counters->rx_bytes = (__s64)rx > 0 ? rx : 0;
    return received == *(volatile __u64 *)&tp->bytes_received &&
           next == *(volatile __u32 *)&tp->rcv_nxt;
}

/*
 * Sockets whose counters are not about the payload of a process: those that carry an MPTCP
 * connection, whose calls are counted on it, and those with a protocol on top (kTLS) that adds
 * bytes of its own.
 */
static __always_inline bool carries_other(struct tcp_sock *tp)
{
    if (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp)
        return true;
    return tp->inet_conn.icsk_ulp_ops;
}

/* Writes a record, and gives notice when half of the ring is full. */
static __always_inline void tell(void *ring, void *record, __u64 size)
{
    if (bpf_ringbuf_output(ring, record, size, BPF_RB_NO_WAKEUP))
        __sync_fetch_and_add(&state.lost, 1);
    if (!state.told && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > TRAFFIC_RING_SIZE / 2) {
        state.told = 1;
        give_notice();
    }
}
