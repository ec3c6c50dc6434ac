/* SPDX-License-Identifier: MIT */
/* Tells, once for each flow, of which socket its packets are; and who uses that socket. */
/*
 * The hooks of the root cgroup see each packet together with its socket: behind NAT when it goes
 * out, which is as the link has it. Who runs meanwhile is nobody in particular. So who it is stands
 * beside the socket, written where the kernel works for the process itself: in socket, connect,
 * listen, send, receive and close.
 */
#include "socket.bpf.h"

#include "owner.bpf.h"
#include "packet_owner_record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum {
    SHUTDOWN_BOTH = 3,
    TCP_FLAGS = 13, /* in its header */
    TCP_SYN = 0x02,
    TCP_ACK = 0x10,
    ICMP_ECHO = 8, /* and ICMPv6 */
    ICMPV6_ECHO = 128,
    TOLD_SENT = 1 << 0,
    TOLD_RECEIVED = 1 << 1,
    TOLD_SOMETHING = 1 << 2, /* whoever reads knows the socket, or what it was cloned from */
};

/* Beside a socket; a connection that comes in has a copy of its listener's. */
struct use {
    __u64 last_ns; /* of the process below; CLOCK_BOOTTIME */
    __u32 tgid;
    __u32 busy; /* 1: is being written */
    __u8 from;  /* enum event_owner_from */
    __u8 flags; /* enum packet_owner_record_flag */
    __u8 told;
    __u8 reserved[5];
    struct event_owner owner;
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
    __type(key, int);
    __type(value, struct use);
} uses SEC(".maps");

struct ends {
    __u64 cookie;
    __u16 local_port, peer_port;
    __u8 family, proto, reserved[2];
    __u8 local[16], peer[16];
};

/* Of sockets that have several peers. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, PACKET_OWNER_TOLD_MAX);
    __type(key, struct ends);
    __type(value, __u8);
} told SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, PACKET_OWNER_RING_SIZE);
} ring SEC(".maps");

struct packet_owner_control control;

/* --- records --- */

static __always_inline struct packet_owner_record *new_record(__u8 kind, __u64 cookie,
                                                              const struct use *use)
{
    struct packet_owner_record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

    if (!record) {
        __sync_fetch_and_add(&control.lost, 1);
        return NULL;
    }
    __builtin_memset(record, 0, sizeof(*record));
    record->kind = kind;
    record->cookie = cookie;
    if (use) {
        record->from = use->from;
        record->flags = use->flags;
        record->owner = use->owner;
    }
    return record;
}

/* --- who uses a socket --- */

/* A command may become another program without any other trace. */
static __always_inline bool is_same(const struct use *use, struct task_struct *leader)
{
    const __u64 *a = (const void *)use->owner.comm, *b = (const void *)leader->comm;

    return use->tgid == (__u32)leader->pid && a[0] == b[0] && a[1] == b[1];
}

static __always_inline void write_use(struct use *use, struct task_struct *task, __u8 from)
{
    use->from = from;
    use->tgid = task->tgid;
    use->flags = task->flags & PF_KTHREAD ? PACKET_OWNER_KERNEL : 0;
    if (use->flags)
        __builtin_memset(&use->owner, 0, sizeof(use->owner));
    else
        fill_owner(&use->owner, task, control.pidns);
}

/* To be called in the context of the process only. */
static __always_inline void take(struct sock *sk, struct use *use, struct task_struct *task,
                                 __u8 from)
{
    __u64 now = bpf_ktime_get_boot_ns(), since;
    struct packet_owner_record *record;

    if (use->from == from && is_same(use, task->group_leader)) {
        use->last_ns = now;
        return;
    }
    /* Only one writes; the other will be there again at its next call. */
    if (__sync_val_compare_and_swap(&use->busy, 0, 1) != 0)
        return;
    since = use->from == EVENT_OWNER_USE ? use->last_ns : 0;
    write_use(use, task, from);
    use->last_ns = now;
    if (use->told) {
        record = new_record(PACKET_RECORD_OWNER, bpf_get_socket_cookie(sk), use);
        if (record) {
            record->since_ns = since;
            bpf_ringbuf_submit(record, 0);
        }
    }
    __sync_lock_test_and_set(&use->busy, 0);
}

static __always_inline void take_current(struct sock *sk, __u8 from)
{
    struct use *use = bpf_sk_storage_get(&uses, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

    if (use)
        take(sk, use, bpf_get_current_task_btf(), from);
}

/* The kernel's own threads also close what was others'. */
static __always_inline void take_closer(struct sock *sk)
{
    struct use *use = bpf_sk_storage_get(&uses, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    struct task_struct *task = bpf_get_current_task_btf();

    if (use && use->from < EVENT_OWNER_CLOSE && !(task->flags & PF_KTHREAD))
        take(sk, use, task, EVENT_OWNER_CLOSE);
}

static __always_inline void end(struct sock *sk)
{
    struct use *use = bpf_sk_storage_get(&uses, sk, 0, 0);
    struct packet_owner_record *record;

    if (!use || !use->told)
        return;
    record = new_record(PACKET_RECORD_CLOSED, bpf_get_socket_cookie(sk), use);
    if (record) {
        record->since_ns = bpf_ktime_get_boot_ns();
        bpf_ringbuf_submit(record, 0);
    }
}

/* The end of a handshake is still of the call that began it. */
static __always_inline void prolong(struct sock *sk)
{
    struct use *use = bpf_sk_storage_get(&uses, sk, 0, 0);

    if (use)
        use->last_ns = bpf_ktime_get_boot_ns();
}

static __always_inline void on_close(struct sock *sk, int old_state)
{
    if ((sk->sk_shutdown & SHUTDOWN_BOTH) == SHUTDOWN_BOTH &&
        (old_state == STATE_ESTABLISHED || old_state == STATE_CLOSE_WAIT))
        take_closer(sk);
    end(sk);
}

SEC("tp_btf/inet_sock_set_state")
int follow_state(__u64 *ctx)
{
    struct sock *sk = (void *)ctx[0];
    int old_state = ctx[1], state = ctx[2];

    if (sk->sk_protocol != IP_PROTO_TCP || !is_inet(sk->__sk_common.skc_family))
        return 0;
    if (state == STATE_SYN_SENT)
        take_current(sk, EVENT_OWNER_USE);
    else if (state == TCP_LISTEN)
        take_current(sk, EVENT_OWNER_LISTENER);
    else if (state == STATE_ESTABLISHED && old_state == STATE_SYN_SENT)
        prolong(sk);
    else if (state == STATE_FIN_WAIT_1 || state == STATE_LAST_ACK)
        take_closer(sk);
    else if (state == TCP_CLOSE && old_state != TCP_CLOSE)
        on_close(sk, old_state);
    return 0;
}

static __always_inline int on_use(struct sock *sk)
{
    if (is_inet(sk->__sk_common.skc_family))
        take_current(sk, EVENT_OWNER_USE);
    return 0;
}

SEC("tp_btf/sock_send_length")
int follow_send(__u64 *ctx)
{
    return on_use((struct sock *)ctx[0]);
}

SEC("tp_btf/sock_recv_length")
int follow_receive(__u64 *ctx)
{
    return on_use((struct sock *)ctx[0]);
}

SEC("cgroup/sock_create")
int follow_create(struct bpf_sock *ctx)
{
    struct use *use;

    if (ctx->family != AF_INET && ctx->family != AF_INET6)
        return 1;
    use = bpf_sk_storage_get(&uses, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (use)
        write_use(use, bpf_get_current_task_btf(), EVENT_OWNER_HOLDER);
    return 1;
}

/* What was there before. */
SEC("iter/task_file")
int take_holders(struct bpf_iter__task_file *ctx)
{
    struct task_struct *task = ctx->task;
    struct file *file = ctx->file;
    struct socket *socket;
    struct sock *sk;
    struct use *use;

    if (!task || !file)
        return 0;
    socket = bpf_sock_from_file(file);
    if (!socket)
        return 0;
    sk = socket->sk;
    if (!sk || !is_inet(sk->__sk_common.skc_family))
        return 0;
    use = bpf_sk_storage_get(&uses, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (use && use->from == EVENT_OWNER_NONE)
        take(sk, use, task,
             sk->__sk_common.skc_state == TCP_LISTEN ? EVENT_OWNER_LISTENER : EVENT_OWNER_HOLDER);
    return 0;
}

/* --- packets --- */

static __always_inline bool read_addresses(struct __sk_buff *skb, struct ends *ends, bool sent)
{
    __u8 *source = sent ? ends->local : ends->peer, *target = sent ? ends->peer : ends->local;

    if (skb->protocol == bpf_htons(0x86dd)) {
        ends->family = AF_INET6;
        return !bpf_skb_load_bytes(skb, 8, source, 16) && !bpf_skb_load_bytes(skb, 24, target, 16);
    }
    ends->family = AF_INET;
    return !bpf_skb_load_bytes(skb, 12, source, 4) && !bpf_skb_load_bytes(skb, 16, target, 4);
}

/* False: it is not told of. */
static __always_inline bool read_ports(struct __sk_buff *skb, __u32 at, struct ends *ends,
                                       bool sent)
{
    __u16 ports[2];
    __u8 echo[8];

    if (ends->proto == IP_PROTO_ICMP || ends->proto == IP_PROTO_ICMPV6) {
        if (!sent || bpf_skb_load_bytes(skb, at, echo, sizeof(echo)))
            return false;
        if (echo[0] == (ends->proto == IP_PROTO_ICMP ? ICMP_ECHO : ICMPV6_ECHO))
            ends->local_port = (__u16)(echo[4] << 8 | echo[5]);
        return true;
    }
    if (ends->proto != IP_PROTO_TCP && ends->proto != IP_PROTO_UDP &&
        ends->proto != IP_PROTO_UDPLITE && ends->proto != IP_PROTO_SCTP &&
        ends->proto != IP_PROTO_DCCP)
        return true;
    if (bpf_skb_load_bytes(skb, at, ports, sizeof(ports)))
        return false;
    ends->local_port = bpf_ntohs(ports[!sent]);
    ends->peer_port = bpf_ntohs(ports[sent]);
    return true;
}

/* What it says that it carries, also when it comes from a raw socket. */
static __always_inline __u8 protocol_of(struct __sk_buff *skb, const struct bpf_sock *sk)
{
    __u8 proto = sk->protocol;

    if (sk->type != SOCK_RAW)
        return proto;
    bpf_skb_load_bytes(skb, skb->protocol == bpf_htons(0x86dd) ? 6 : 9, &proto, 1);
    return proto;
}

/* Remembers it, too. */
static __always_inline bool was_told(const struct ends *ends)
{
    __u8 one = 1;

    if (bpf_map_lookup_elem(&told, ends))
        return true;
    bpf_map_update_elem(&told, ends, &one, BPF_ANY);
    return false;
}

static __always_inline void tell_flow(struct use *use, const struct ends *ends, __u32 netns,
                                      bool listens)
{
    struct packet_owner_record *record = new_record(PACKET_RECORD_FLOW, ends->cookie, use);

    if (!record)
        return;
    record->netns = netns;
    record->local_port = ends->local_port;
    record->peer_port = ends->peer_port;
    record->family = ends->family;
    record->proto = ends->proto;
    record->flags |= listens ? PACKET_OWNER_LISTENS : 0;
    __builtin_memcpy(record->local, ends->local, 16);
    __builtin_memcpy(record->peer, ends->peer, 16);
    bpf_ringbuf_submit(record, 0);
}

/* A packet that asks for a connection. */
static __always_inline bool is_opening(struct __sk_buff *skb, __u32 at)
{
    __u8 flags = 0;

    bpf_skb_load_bytes(skb, at + TCP_FLAGS, &flags, 1);
    return (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline bool fill_ends(struct __sk_buff *skb, const struct bpf_sock *sk, __u32 at,
                                      bool sent, struct ends *ends)
{
    ends->cookie = bpf_get_socket_cookie(skb);
    ends->proto = protocol_of(skb, sk);
    return read_addresses(skb, ends, sent) && read_ports(skb, at, ends, sent);
}

/* An answer of the kernel itself, or a copy that a raw socket gets. */
static __always_inline bool is_nobodys(const struct bpf_sock *sk, bool is_kernels, bool sent)
{
    return sk->type == SOCK_RAW && (is_kernels || !sent);
}

/* Of connections that are made there is a bit, of other flows an entry; requests for connections
 * are always told, as their ends may have been those of another one. */
static __always_inline bool is_news(struct __sk_buff *skb, const struct bpf_sock *sk, __u32 at,
                                    bool sent, struct use *use, struct ends *ends)
{
    bool is_tcp = sk->protocol == IP_PROTO_TCP && sk->type == SOCK_STREAM;
    __u8 bit = sent ? TOLD_SENT : TOLD_RECEIVED;

    if (!is_tcp || sk->state == TCP_LISTEN)
        return fill_ends(skb, sk, at, sent, ends) &&
               ((is_tcp && !sent && is_opening(skb, at)) || !was_told(ends));
    if (use->told & bit || !fill_ends(skb, sk, at, sent, ends))
        return false;
    use->told |= bit;
    return true;
}

static __always_inline void on_packet(struct __sk_buff *skb, struct bpf_sock *sk,
                                      struct sock *whole, __u32 at, bool sent)
{
    bool is_kernels = BPF_CORE_READ_BITFIELD(whole, sk_kern_sock);
    __u32 netns = whole->__sk_common.skc_net.net->ns.inum;
    struct ends ends = {0};
    struct use *use;

    if ((control.netns && control.netns != netns) || is_nobodys(sk, is_kernels, sent))
        return;
    use = bpf_sk_storage_get(&uses, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (!use || !is_news(skb, sk, at, sent, use, &ends))
        return;
    use->told |= TOLD_SOMETHING;
    if (is_kernels)
        use->flags |= PACKET_OWNER_KERNEL;
    tell_flow(use, &ends, netns, sk->protocol == IP_PROTO_TCP && sk->state == TCP_LISTEN);
}

static __always_inline int take_packet(struct __sk_buff *skb, bool sent)
{
    const struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);
    struct bpf_sock *sk = skb->sk;
    struct sock *whole = kernel->sk;

    sk = sk ? bpf_sk_fullsock(sk) : NULL;
    if (sk && whole)
        on_packet(skb, sk, whole, (__u16)(kernel->transport_header - kernel->network_header), sent);
    return 1;
}

SEC("cgroup_skb/egress")
int follow_sent(struct __sk_buff *skb)
{
    return take_packet(skb, true);
}

SEC("cgroup_skb/ingress")
int follow_received(struct __sk_buff *skb)
{
    return take_packet(skb, false);
}
