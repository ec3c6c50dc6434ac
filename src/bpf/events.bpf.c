/* SPDX-License-Identifier: MIT */
/* What happens to TCP connections, with the process that each belongs to. */
/*
 * Who runs on this processor says nothing about a packet: owners are only taken where the kernel
 * works for the process itself, in connect, listen, send, receive and close.
 */
#include "event_lives.bpf.h"
#include "owner.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum { SHUTDOWN_BOTH = 3 };

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, EVENT_RING_SIZE);
} ring SEC(".maps");

struct event_control control;

static __always_inline bool is_watched(struct sock *sk)
{
    __u16 family = sk->__sk_common.skc_family;

    if (sk->sk_protocol != IP_PROTO_TCP || !is_inet(family))
        return false;
    return !control.netns || control.netns == netns_of(sk);
}

/* --- owners --- */

/* To be called in the context of the process only. */
static __always_inline void take_task(struct life *life, struct task_struct *task, __u8 from)
{
    life->from = from;
    life->flags = 0;
    if (task->flags & PF_KTHREAD) {
        life->flags = EVENT_BY_KERNEL;
        __builtin_memset(&life->owner, 0, sizeof(life->owner));
    } else {
        fill_owner(&life->owner, task, control.pidns);
    }
}

static __always_inline void take_current(struct life *life, __u8 from)
{
    take_task(life, bpf_get_current_task_btf(), from);
}

/* The first one, once. The kernel's own threads also close what was others'. */
static __always_inline void claim(struct life *life, __u8 from)
{
    struct task_struct *task;

    if (life->claimed || life->role == EVENT_ROLE_ACTIVE)
        return;
    task = bpf_get_current_task_btf();
    if (from == EVENT_OWNER_CLOSE && task->flags & PF_KTHREAD)
        return;
    if (__sync_val_compare_and_swap(&life->claimed, 0, 1) == 0)
        take_task(life, task, from);
}

/* --- records --- */

/* The end of the other side's stream counts as a byte; that of ours does not. */
static __always_inline void fill_counters(struct event_record *record, struct tcp_sock *tp)
{
    struct inet_sock *inet = &tp->inet_conn.icsk_inet;

    record->rx_bytes = tp->bytes_received;
    if (tcp_has_fin(tp) && record->rx_bytes)
        record->rx_bytes--;
    record->tx_bytes = tcp_sent(tp);
    record->rtt_us = tp->srtt_us >> 3;
    record->retransmits = tp->total_retrans;
    record->error = inet->sk.sk_err;
    record->shutdown = inet->sk.sk_shutdown & SHUTDOWN_BOTH;
    record->local_port = bpf_ntohs(inet->inet_sport); /* skc_num is 0 when the port is given back */
}

static __always_inline void fill_life(struct event_record *record, const struct life *life)
{
    record->start_ns = life->start_ns;
    record->handshake_us = life->handshake_us;
    record->role = life->role;
    record->from = life->from;
    record->flags = life->flags;
    record->owner = life->owner;
}

static __always_inline void emit(struct sock *sk, const struct life *life, __u8 kind,
                                 __u8 old_state, __u8 flags, __u64 now)
{
    struct event_record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    struct tcp_sock *tp;

    if (!record) {
        __sync_fetch_and_add(&control.lost, 1);
        return;
    }
    __builtin_memset(record, 0, sizeof(*record));
    record->time_ns = now;
    record->cookie = cookie_of(sk);
    record->netns = netns_of(sk);
    record->family = sk->__sk_common.skc_family;
    record->kind = kind;
    record->old_state = old_state;
    record->peer_port = bpf_ntohs(sk->__sk_common.skc_dport);
    fill_local(record->local, &sk->__sk_common);
    fill_peer(record->peer, &sk->__sk_common);
    tp = bpf_skc_to_tcp_sock(sk);
    if (tp)
        fill_counters(record, tp);
    if (life)
        fill_life(record, life);
    record->flags |= flags;
    bpf_ringbuf_submit(record, 0);
}

/* --- the life of a connection --- */

static __always_inline void on_connect(struct sock *sk)
{
    struct life life = {
        .start_ns = bpf_ktime_get_boot_ns(), .role = EVENT_ROLE_ACTIVE, .claimed = 1};

    take_current(&life, EVENT_OWNER_USE);
    put_life(sk, cookie_of(sk), &life);
}

static __always_inline void on_listen(struct sock *sk)
{
    struct life life = {.role = EVENT_ROLE_PASSIVE};

    take_current(&life, EVENT_OWNER_LISTENER);
    put_listener(sk, &life);
    if (control.test_pid && control.test_pid == life.owner.pid)
        emit(sk, &life, EVENT_RECORD_LISTENS, TCP_CLOSE, 0, bpf_ktime_get_boot_ns());
}

/*
 * The life of a connection that has none. Those that come in are adopted when they are established,
 * or earlier: with TCP Fast Open they are used, and may be closed, before that. The others were on
 * their way when watching began.
 */
static __always_inline struct life *adopt(struct sock *sk, __u64 cookie, bool incoming)
{
    struct listener *listener = incoming ? find_listener(sk) : NULL;

    if (listener) {
        put_life(sk, cookie, &listener->life);
    } else {
        struct life life = {.role = incoming ? EVENT_ROLE_PASSIVE : EVENT_ROLE_ACTIVE};

        put_life(sk, cookie, &life);
    }
    return find_life(sk, cookie);
}

static __always_inline void on_established(struct sock *sk, __u8 old_state)
{
    __u64 cookie = cookie_of(sk), now = bpf_ktime_get_boot_ns();
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct life *life = find_life(sk, cookie);

    if (!life)
        life = adopt(sk, cookie, old_state != STATE_SYN_SENT);
    if (life && (life->role == EVENT_ROLE_ACTIVE || old_state == STATE_SYN_SENT)) {
        life->role = EVENT_ROLE_ACTIVE;
        if (life->start_ns)
            life->handshake_us = (now - life->start_ns) / 1000;
    } else if (life) { /* the time between our answer to the SYN and the answer to that */
        life->role = EVENT_ROLE_PASSIVE;
        life->start_ns = now;
        life->handshake_us = tp ? tp->srtt_us >> 3 : 0;
    }
    emit(sk, life, EVENT_RECORD_ESTABLISHED, old_state, 0, now);
}

/*
 * Established connections go to CLOSE by close(2) when that resets them, and then both directions
 * are shut down before; or by a packet or a timer, and then they are shut down after it.
 */
static __always_inline bool is_closing(struct sock *sk, __u8 old_state)
{
    if (old_state != STATE_ESTABLISHED && old_state != STATE_CLOSE_WAIT &&
        old_state != STATE_SYN_RECV && old_state != STATE_SYN_SENT)
        return false;
    return (sk->sk_shutdown & SHUTDOWN_BOTH) == SHUTDOWN_BOTH;
}

static __always_inline void on_close(struct sock *sk, __u8 old_state)
{
    __u64 cookie = cookie_of(sk);
    struct life *life = find_life(sk, cookie);
    bool closing = is_closing(sk, old_state);

    if (!life && old_state == STATE_SYN_RECV)
        life = adopt(sk, cookie, true);
    if (life && closing)
        claim(life, EVENT_OWNER_CLOSE);
    emit(sk, life, EVENT_RECORD_CLOSED, old_state, closing ? EVENT_CLOSING : 0,
         bpf_ktime_get_boot_ns());
    drop_life(cookie);
}

/* Only close(2), exit and shutdown(2) lead to these states. */
static __always_inline void on_finish(struct sock *sk, __u8 old_state)
{
    __u64 cookie = cookie_of(sk);
    struct life *life = find_life(sk, cookie);

    if (!life && old_state == STATE_SYN_RECV)
        life = adopt(sk, cookie, true);
    if (life)
        claim(life, EVENT_OWNER_CLOSE);
}

SEC("tp_btf/inet_sock_set_state")
int follow_state(__u64 *ctx)
{
    struct sock *sk = (void *)ctx[0];
    int old_state = ctx[1], state = ctx[2];

    if (!is_watched(sk))
        return 0;
    if (state == STATE_ESTABLISHED)
        on_established(sk, old_state);
    else if (state == STATE_SYN_SENT)
        on_connect(sk);
    else if (state == STATE_FIN_WAIT_1 || state == STATE_LAST_ACK)
        on_finish(sk, old_state);
    else if (state == TCP_LISTEN)
        on_listen(sk);
    else if (state == TCP_CLOSE && old_state == TCP_LISTEN)
        forget_listener(sk);
    else if (state == TCP_CLOSE && old_state != TCP_CLOSE)
        on_close(sk, old_state);
    return 0;
}

#ifndef WITHOUT_USE /* since 6.3 */
static __always_inline int on_use(struct sock *sk)
{
    struct life *life;
    __u64 cookie;

    if (sk->sk_protocol != IP_PROTO_TCP)
        return 0;
    cookie = cookie_of(sk);
    life = find_life(sk, cookie);
    if (!life && sk->__sk_common.skc_state == STATE_SYN_RECV && is_watched(sk))
        life = adopt(sk, cookie, true);
    if (life)
        claim(life, EVENT_OWNER_USE);
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
#endif

SEC("tp_btf/tcp_retransmit_skb")
int follow_retransmit(__u64 *ctx)
{
    struct sock *sk = (void *)ctx[0];

    if (is_watched(sk))
        emit(sk, find_life(sk, cookie_of(sk)), EVENT_RECORD_RETRANSMITTED,
             sk->__sk_common.skc_state, 0, bpf_ktime_get_boot_ns());
    return 0;
}

/* --- what was there before --- */

static __always_inline void hold_listener(struct sock *sk, struct task_struct *task)
{
    struct listener_key key = listener_key(sk);
    struct listener *listener = bpf_map_lookup_elem(&listeners, &key);
    struct life life = {.role = EVENT_ROLE_PASSIVE, .from = EVENT_OWNER_LISTENER};

    if ((listener && listener->cookie == cookie_of(sk)) || bpf_sk_storage_get(&beside, sk, 0, 0))
        return;
    fill_owner(&life.owner, task, control.pidns);
    put_listener(sk, &life);
}

/* What is closed meanwhile is not told of again, so that nobody else would take it away. */
static __always_inline void hold_connection(struct sock *sk, struct task_struct *task)
{
    __u64 cookie = cookie_of(sk);
    struct life *known = find_life(sk, cookie), life = {.from = EVENT_OWNER_HOLDER};

    if (known) {
        if (known->from != EVENT_OWNER_NONE || known->claimed)
            return;
        fill_owner(&known->owner, task, control.pidns);
        known->from = EVENT_OWNER_HOLDER;
        return;
    }
    fill_owner(&life.owner, task, control.pidns);
    put_life(sk, cookie, &life);
    if (sk->__sk_common.skc_state == TCP_CLOSE)
        drop_life(cookie);
}

SEC("iter/task_file")
int take_holders(struct bpf_iter__task_file *ctx)
{
    struct task_struct *task = ctx->task;
    struct file *file = ctx->file;
    struct socket *socket;
    struct sock *sk;
    __u8 state;

    if (!task || !file)
        return 0;
    socket = bpf_sock_from_file(file);
    if (!socket)
        return 0;
    sk = socket->sk;
    if (!sk || !is_watched(sk))
        return 0;
    state = sk->__sk_common.skc_state;
    if (state == TCP_LISTEN)
        hold_listener(sk, task);
    else if (state != TCP_CLOSE)
        hold_connection(sk, task);
    return 0;
}
