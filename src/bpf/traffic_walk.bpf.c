/* SPDX-License-Identifier: MIT */
/* The counters of every TCP socket that has a descriptor. */
#include "traffic.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* The kernel keeps the low 32 bits of its ticks. */
static __always_inline bool is_recent(struct tcp_sock *tp)
{
    __u32 now = (__u32)bpf_jiffies64();

    return now - tp->inet_conn.icsk_ack.lrcvtime <= state.recent_ticks ||
           now - tp->lsndtime <= state.recent_ticks;
}

SEC("iter/task_file")
int walk_counters(struct bpf_iter__task_file *ctx)
{
    struct seq_file *seq = ctx->meta->seq;
    struct task_struct *task = ctx->task;
    struct file *file = ctx->file;
    struct traffic_held record = {0};
    struct socket *socket;
    struct inet_sock *inet;
    struct tcp_sock *tp;

    if (!task || !file)
        return 0;
    socket = bpf_sock_from_file(file);
    if (!socket || !socket->sk)
        return 0;
    inet = (struct inet_sock *)socket->sk;
    if (!is_inet(inet->sk.__sk_common.skc_family) || inet->sk.__sk_common.skc_state == TCP_LISTEN)
        return 0;
    tp = bpf_skc_to_tcp_sock(inet);
    if (!tp || (state.recent_ticks && !is_recent(tp)) || carries_other(tp))
        return 0;
    if (!fill_counters(&record.tcp.counters, tp) ||
        (!record.tcp.counters.rx_bytes && !record.tcp.counters.tx_bytes))
        return 0;
    record.tcp.cookie = bpf_get_socket_cookie(tp);
    fill_socket(&record.tcp.socket, &tp->inet_conn.icsk_inet);
    fill_user(&record.user, task->group_leader);
    bpf_seq_write(seq, &record, sizeof(record));
    return 0;
}
