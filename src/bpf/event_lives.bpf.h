/* SPDX-License-Identifier: MIT */
/* Lives of connections: what is remembered of each, and of the listener that it came by. */
/*
 * They are kept until the connection is closed, in memory that is there from the beginning: to get
 * and to give back storage beside every socket takes a tenth of what a short connection takes in
 * all.
 */
#pragma once

#include "socket.bpf.h"

#include "event_record.h"

#define PLACE_TAKEN (~0ull) /* and not yet written */

enum {
    INET_FLAGS_TRANSPARENT = 15, /* bit of inet_flags, since 6.6 */
};

struct life {
    __u64 start_ns;
    __u32 handshake_us;
    __u32 claimed; /* 1: the owner is settled, or is being written by who settled it */
    __u8 role;     /* enum event_role */
    __u8 from;     /* enum event_owner_from */
    __u8 flags;    /* enum event_record_flag */
    __u8 reserved[5];
    struct event_owner owner;
};

struct listener_key {
    __u32 netns; /* inode */
    __u16 port;
    __u16 family;
};

struct listener {
    __u64 cookie;
    __u64 inode; /* 0: unknown */
    __u8 local[16];
    struct life life;
};

/* The place of a connection is told by its cookie; the second one of a place is kept beside it. */
struct place {
    __u64 cookie; /* 0: free */
    struct life life;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, EVENT_LIVES_MAX);
    __type(key, __u32);
    __type(value, struct place);
} lives SEC(".maps");

/* A connection finds its listener by the port. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, EVENT_LISTENERS_MAX);
    __type(key, struct listener_key);
    __type(value, struct listener);
} listeners SEC(".maps");

/*
 * Of listeners that a port does not tell apart it is copied to each connection that comes in (since
 * 5.2; in tracing programs since 5.11); and of what finds no room in the other two.
 */
struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
    __type(key, int);
    __type(value, struct life);
} beside SEC(".maps");

/* The helper looks for more than this, and gives one to a socket that has none. */
static __always_inline __u64 cookie_of(struct sock *sk)
{
    __u64 cookie = sk->__sk_common.skc_cookie.counter;

    return cookie ?: bpf_get_socket_cookie(sk);
}

static __always_inline struct place *place_of(__u64 cookie)
{
    __u32 number = cookie % EVENT_LIVES_MAX;

    return bpf_map_lookup_elem(&lives, &number);
}

static __always_inline struct life *find_life(struct sock *sk, __u64 cookie)
{
    struct place *place = place_of(cookie);

    if (place && place->cookie == cookie)
        return &place->life;
    return bpf_sk_storage_get(&beside, sk, 0, 0);
}

static __always_inline void put_beside(struct sock *sk, const struct life *life)
{
    struct life *to = bpf_sk_storage_get(&beside, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

    if (to)
        *to = *life;
}

static __always_inline void put_life(struct sock *sk, __u64 cookie, const struct life *life)
{
    struct place *place = place_of(cookie);

    if (!place || __sync_val_compare_and_swap(&place->cookie, 0, PLACE_TAKEN) != 0) {
        put_beside(sk, life);
        return;
    }
    place->life = *life;
    __sync_lock_test_and_set(&place->cookie, cookie);
}

static __always_inline void drop_life(__u64 cookie)
{
    struct place *place = place_of(cookie);

    if (place && place->cookie == cookie)
        place->cookie = 0;
}

static __always_inline __u32 netns_of(struct sock *sk)
{
    return FOR_READING(struct sock, sk)->__sk_common.skc_net.net->ns.inum;
}

/* skc_num is 0 when the port is given back. */
static __always_inline struct listener_key listener_key(struct sock *sk)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

    return (struct listener_key){
        .netns = netns_of(sk),
        .port = tp ? tp->inet_conn.icsk_inet.inet_sport : 0,
        .family = sk->__sk_common.skc_family,
    };
}

/* In words, as they are written. */
static __always_inline bool is_same_address(const __u8 *a, const __u8 *b)
{
    const __u32 *x = (const void *)a, *y = (const void *)b;

    return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

/* Its connections are those of no other listener, and have its port. */
static __always_inline bool is_alone(struct sock *sk)
{
    struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
    struct inet_sock *inet = &tp->inet_conn.icsk_inet;

    if (!tp || !inet->inet_sport || sk->__sk_common.skc_bound_dev_if ||
        BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_reuseport))
        return false;
    if (bpf_core_field_exists(inet->inet_flags))
        return !(inet->inet_flags & 1ul << INET_FLAGS_TRANSPARENT);
    return true;
}

static __always_inline void put_listener(struct sock *sk, const struct life *life)
{
    struct listener listener = {.cookie = cookie_of(sk), .life = *life};
    struct listener_key key = listener_key(sk);

    if (bpf_core_field_exists(sk->sk_ino))
        listener.inode = sk->sk_ino;
    fill_local(listener.local, &sk->__sk_common);
    if (!is_alone(sk) || bpf_map_update_elem(&listeners, &key, &listener, BPF_NOEXIST))
        put_beside(sk, life);
}

static __always_inline void forget_listener(struct sock *sk)
{
    struct listener_key key = listener_key(sk);
    struct listener *listener = bpf_map_lookup_elem(&listeners, &key);

    if (listener && listener->cookie == cookie_of(sk))
        bpf_map_delete_elem(&listeners, &key);
}

/*
 * Of a connection that nobody has accepted yet: packets can also be directed to a listener of
 * another address or port. A connection has the inode of its listener until it is accepted.
 */
static __always_inline struct listener *find_listener(struct sock *sk)
{
    struct listener_key key = listener_key(sk);
    struct listener *listener = bpf_map_lookup_elem(&listeners, &key);
    __u8 local[16] = {0}, any[16] = {0};

    if (!listener || sk->__sk_common.skc_bound_dev_if)
        return NULL;
    if (bpf_core_field_exists(sk->sk_ino) && sk->sk_ino && sk->sk_ino != listener->inode)
        return NULL;
    fill_local(local, &sk->__sk_common);
    if (!is_same_address(listener->local, any) && !is_same_address(listener->local, local))
        return NULL;
    return listener;
}
