/* SPDX-License-Identifier: MIT */
/* Shared by BPF and program: what is counted of traffic, and how ends of sockets are told. */
#pragma once

#include <linux/types.h>

/*
 * The layout is fixed by the order below, as in record.h. Numbers are in host order, addresses in
 * network order.
 */

/*
 * Flows of one interval; what has no room is in the sums of traffic_state. Their memory, 7 MB for
 * each half, is taken at the start: to take it entry by entry is as dear as all the rest that a
 * short connection costs.
 */
#define TRAFFIC_FLOWS_MAX 32768

/* So many flows, and the program is told that it is time to read. */
#define TRAFFIC_FLOWS_MANY (TRAFFIC_FLOWS_MAX / 2)

/* Of one interval: peers of unconnected UDP sockets that are told apart. */
#define TRAFFIC_PEERS_MAX 8192

/* Threads whose call has said its peer, and has not returned yet. */
#define TRAFFIC_CALLERS_MAX 4096

#define TRAFFIC_RING_SIZE (2 * 1024 * 1024)

struct traffic_key {
    __u64 cookie; /* SO_COOKIE */
    __u32 tid;    /* in the initial pid namespace. Of packets the network namespace: the kernel
                     sends for all of them by the same sockets */
    __u32 tgid;   /* of packets 0 */
};

struct traffic_peer {
    __u8 address[16]; /* as the socket's family has it */
    __u16 port;
    __u16 reserved[3];
};

/* A call of an unconnected socket for this peer alone. */
struct traffic_peer_key {
    struct traffic_key key;
    struct traffic_peer peer;
};

/* Whose context it was. */
struct traffic_user {
    __u64 cgroup_id;
    __u64 start_ns; /* CLOCK_BOOTTIME when the process began */
    __u32 pid;      /* as in the reader's pid namespace; 0: not to be seen there */
    __u32 tid;
    __u32 euid;
    __u32 ppid;    /* of the process, as pid; 0: none, or not to be seen there */
    char comm[16]; /* of the thread; raw bytes */
};

struct traffic_socket {
    __u32 netns;   /* inode */
    __u32 ifindex; /* bound to, or the last packet came by it; 0: unknown */
    __u16 local_port;
    __u16 peer_port;
    __u8 proto;  /* enum socket_proto */
    __u8 family; /* AF_INET, AF_INET6 */
    __u8 split;  /* 1: not connected, the peer is of this flow only */
    __u8 reserved;
    __u8 local[16]; /* IPv4: the first four bytes */
    __u8 peer[16];
};

struct traffic_sums {
    __u64 rx_bytes;
    __u64 tx_bytes;
    __u64 rx_count; /* calls, or packets */
    __u64 tx_count;
};

/* What calls moved whose flow has no room. */
struct traffic_other {
    struct traffic_sums tcp; /* of sockets whose own counters have these bytes too */
    struct traffic_sums rest;
};

/* TCP's own counters, since the connection began. */
struct traffic_counters {
    __u64 rx_bytes; /* taken out by the application, however it did */
    __u64 tx_bytes; /* sent, each byte once */
};

/* The value of the hash: filled when the first call is counted. */
struct traffic_flow {
    struct traffic_sums sums;
    struct traffic_user user; /* of packets: nobody */
    struct traffic_socket socket;
    struct traffic_counters began; /* of TCP: where the first call began, which may be older than
                                      the counting; UINT64_MAX: unknown */
};

/* A thread's call of an unconnected socket: what is to be counted when it returns. */
struct traffic_caller {
    __u64 waits; /* 1: it has not been counted */
    struct traffic_peer_key key;
    struct traffic_flow flow;
};

/*
 * What one processor counted of the flows that it is busy with, beside the hash: to find it there
 * takes as long as all the rest. A slot is given to a flow that has an entry in the hash, when that
 * flow alone has asked for it so many times in a row.
 */
#define TRAFFIC_SLOTS 32 /* a power of two */
#define TRAFFIC_STREAK 8

struct traffic_slot {
    struct traffic_key key; /* cookie 0: free */
    struct traffic_sums sums;
    __u64 other;  /* the key of who asked for the slot last, folded */
    __u64 streak; /* how often in a row */
};

struct traffic_slots {
    struct traffic_slot slots[TRAFFIC_SLOTS];
    __u64 busy; /* 1: a program is at work on them */
};

/* A TCP socket that is being destroyed, or one of an open file. */
struct traffic_tcp {
    __u64 cookie;
    struct traffic_counters counters;
    struct traffic_socket socket;
    __u32 reserved;
};

/* A TCP socket of an open file, and one process that has it. */
struct traffic_held {
    struct traffic_tcp tcp;
    struct traffic_user user;
};

/* The last descriptor of a socket was closed, by this process. */
struct traffic_close {
    __u64 cookie;
    struct traffic_user user;
    __u32 proto; /* enum socket_proto */
    __u32 reserved;
};

_Static_assert(sizeof(struct traffic_key) == 16, "traffic_key has padding");
_Static_assert(sizeof(struct traffic_peer_key) == 40, "traffic_peer_key has padding");
_Static_assert(sizeof(struct traffic_caller) == 192, "traffic_caller has padding");
_Static_assert(sizeof(struct traffic_user) == 48, "traffic_user has padding");
_Static_assert(sizeof(struct traffic_socket) == 48, "traffic_socket has padding");
_Static_assert(sizeof(struct traffic_flow) == 144, "traffic_flow has padding");
_Static_assert(sizeof(struct traffic_slot) == 64, "traffic_slot has padding");
_Static_assert(sizeof(struct traffic_tcp) == 80, "traffic_tcp has padding");
_Static_assert(sizeof(struct traffic_held) == 128, "traffic_held has padding");
_Static_assert(sizeof(struct traffic_close) == 64, "traffic_close has padding");

/* In the .bss of the programs: what they count, and what they are told. */
struct traffic_state {
    struct traffic_other other; /* of calls that had no room in the hash */
    __u64 lost;                 /* records that had no room in the ring */
    __u64 made;                 /* flows since the halves were last exchanged */
    __u64 unsplit;      /* calls whose peer had no room: they are of the socket's own flow */
    __u64 recent_ticks; /* of the walk: 0: every socket; else those with data within this time */
    __u32 pidns;        /* of the reader: its inode; 0: the initial one */
    __u32 told;         /* 1: the notice that the ring fills up was given, and not yet read */
    __u32 half;         /* 0 or 1: which hash and which slots are counted into */
    __u32 split;        /* 1: peers of unconnected sockets are told apart */
};
