/* SPDX-License-Identifier: MIT */
/* Every bound or connected UDP socket of the reader's network namespace. */
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct socket_record {
    struct record_head head;
    struct record_socket socket;
};

SEC("iter/udp")
int walk_udp(struct bpf_iter__udp *ctx)
{
    struct seq_file *seq = ctx->meta->seq;
    struct udp_sock *up = ctx->udp_sk;
    struct socket_record record = {0};
    struct sock_links links;
    struct socket *socket;
    struct inet_sock *inet;

    if (!up)
        return 0;
    inet = &up->inet;
    socket = inet->sk.sk_socket;
    PIN(socket);
    links = sock_links((struct inet_sock *)socket->sk); /* itself, not trusted; a socket in the
                                                           table has its file still */
    if (!fill_head(&record.head, &inet->sk.__sk_common, links.net, PROTO_UDP))
        return 0;
    if (!(filter.states & STATE_BIT(record.head.state & 31)))
        return 0;
    record.head.cookie = bpf_get_socket_cookie(up);
    record.head.inode = socket_inode(inet, links.socket);
    record.head.parts = RECORD_SOCKET;
    record.head.size = sizeof(record);
    fill_sock(&record.socket, inet, &links);
    fill_cgroup(&record.socket, &links);
    fill_inet(&record.socket, &inet->sk.__sk_common);
    fill_udp(&record.socket, up);
    bpf_seq_write(seq, &record, sizeof(record));
    return 0;
}
