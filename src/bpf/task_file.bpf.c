/* SPDX-License-Identifier: MIT */
/* Every descriptor that is a socket: who holds it, and of TCP all the rest. */
#include "socket.bpf.h"
#include "task.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct full_record {
    struct record_head head;
    struct record_socket socket;
    struct record_owner owner;
    struct record_tcp tcp;
};

struct owner_record {
    struct record_head head;
    struct record_owner owner;
};

/* Who holds the descriptor, and where the record goes. */
struct holder_links {
    struct seq_file *seq;
    struct task_struct *task;
    struct task_struct *leader;
    __u32 fd;
};

static __always_inline void fill_owner(struct record_owner *owner, const struct holder_links *links)
{
    owner->tgid = links->task->tgid;
    owner->tid = links->task->pid != links->task->tgid ? links->task->pid : 0;
    owner->fd = links->fd;
    owner->euid = links->leader->cred->euid.val;
    copy_comm(owner->comm, links->leader);
}

static __always_inline void write_owner(const struct holder_links *links,
                                        const struct record_head *head)
{
    struct owner_record record = {.head = *head};

    record.head.parts |= RECORD_OWNER;
    record.head.size = sizeof(record);
    fill_owner(&record.owner, links);
    bpf_seq_write(links->seq, &record, sizeof(record));
}

static __always_inline void write_tcp(const struct holder_links *links,
                                      const struct record_head *head, struct tcp_sock *tp)
{
    struct full_record record = {.head = *head};
    struct inet_sock *inet = &tp->inet_conn.icsk_inet;
    struct sock_links sock = sock_links(inet);

    if (is_calm(tp, &sock))
        return;
    record.head.parts |= RECORD_OWNER | RECORD_SOCKET;
    record.head.size = offsetof(struct full_record, tcp);
    fill_sock(&record.socket, inet, &sock);
    fill_cgroup(&record.socket, &sock);
    record.socket.flags |= SOCKET_FILE;
    fill_inet(&record.socket, &inet->sk.__sk_common);
    fill_tcp(&record.socket, tp);
    fill_owner(&record.owner, links);
    if (!fill_details(&record.tcp, tp)) {
        bpf_seq_write(links->seq, &record, offsetof(struct full_record, tcp));
        return;
    }
    record.head.parts |= RECORD_TCP;
    record.head.size = sizeof(record);
    bpf_seq_write(links->seq, &record, sizeof(record));
}

static __always_inline void write_record(const struct holder_links *links, struct inet_sock *inet,
                                         struct inode *inode)
{
    struct record_head head = {0};
    struct tcp_sock *tp = 0;
    __u8 proto = socket_proto(inet);

    if (!fill_head(&head, &inet->sk.__sk_common, inet->sk.__sk_common.skc_net.net, proto))
        return;
    if ((filter.full_protos & PROTO_BIT(proto)) && !(filter.states & STATE_BIT(head.state & 31)))
        return;
    head.cookie = bpf_get_socket_cookie(inet);
    head.inode = inode->i_ino;
    /*
     * A TCP socket without any address is in no table of the kernel, and no other source shows it.
     */
    if ((filter.full_protos & PROTO_BIT(proto) & PROTO_BIT(PROTO_TCP)) &&
        head.state != STATE_UNCONNECTED)
        tp = bpf_skc_to_tcp_sock(inet);
    if (tp)
        write_tcp(links, &head, tp);
    else
        write_owner(links, &head);
}

SEC("iter/task_file")
int walk_descriptors(struct bpf_iter__task_file *ctx)
{
    struct holder_links links = {.seq = ctx->meta->seq, .task = ctx->task, .fd = ctx->fd};
    struct file *file = ctx->file;
    struct socket *socket;

    if (!links.task || !file)
        return 0;
    if (filter.tgid && filter.tgid != (__u32)links.task->tgid)
        return 0;
    filter.descriptors++;
    links.leader = links.task->group_leader;
    PIN(links.leader);
    socket = bpf_sock_from_file(file);
    /* Most sockets are connected; to see that here saves a look at their struct sock. */
    if (socket && filter.unconnected && socket->state == SOCKET_IS_CONNECTED)
        return 0;
    if (socket && socket->sk)
        write_record(&links, (struct inet_sock *)socket->sk, socket->file->f_inode);
    return 0;
}
