/* SPDX-License-Identifier: MIT */
/* Shared by BPF and program: what is told of a TCP connection when something happens to it. */
#pragma once

#include <linux/types.h>

/*
 * The layout is fixed by the order below, as in record.h. Numbers are in host order, addresses in
 * network order. Times are of CLOCK_BOOTTIME.
 */

/* Which process: known in its own context only. */
struct event_owner {
    __u32 pid; /* as in the reader's pid namespace; 0: none, or not to be seen there */
    __u32 ppid;
    __u32 euid;
    __u32 reserved;
    __u64 cgroup_id; /* cgroup2 id; 0: unknown */
    char comm[16];   /* of the process, not of the thread; raw bytes */
    char parent[16];
};

/* How the owner is known; a later one is taken in the place of an earlier one, but never of USE. */
enum event_owner_from {
    EVENT_OWNER_NONE,
    EVENT_OWNER_LISTENER, /* who holds the listener: the connection may be of another process */
    EVENT_OWNER_HOLDER,   /* who had a descriptor of it when watching began */
    EVENT_OWNER_CLOSE,    /* who closed it */
    EVENT_OWNER_USE,      /* who connected, or sent or received first */
    EVENT_OWNER_FROM_MAX,
};

enum event_role {
    EVENT_ROLE_UNKNOWN, /* the connection is older than the watching */
    EVENT_ROLE_ACTIVE,  /* connect(2) */
    EVENT_ROLE_PASSIVE,
};

enum event_record_kind {
    EVENT_RECORD_LISTENS, /* only of the process that is being tested for */
    EVENT_RECORD_ESTABLISHED,
    EVENT_RECORD_CLOSED,
    EVENT_RECORD_RETRANSMITTED,
};

enum event_record_flag {
    EVENT_BY_KERNEL = 1 << 0, /* the owner is the kernel itself */
    EVENT_CLOSING = 1 << 1,   /* closed by close(2) or exit, at this very moment */
};

struct event_record {
    __u64 time_ns;
    __u64 start_ns; /* connect(2), or the end of the handshake of an accepted one; 0: unknown */
    __u64 cookie;
    __u64 rx_bytes;     /* payload that arrived in order */
    __u64 tx_bytes;     /* payload that was sent, once */
    __u32 netns;        /* inode */
    __u32 handshake_us; /* 0: unknown */
    __u32 rtt_us;       /* smoothed; 0: none was measured */
    __u32 retransmits;
    __s32 error; /* of the socket (SO_ERROR), positive; 0: none */
    __u16 local_port;
    __u16 peer_port;
    __u8 kind;      /* enum event_record_kind */
    __u8 family;    /* AF_INET, AF_INET6 */
    __u8 old_state; /* enum socket_state */
    __u8 shutdown;  /* bit 0 receive, bit 1 send */
    __u8 role;      /* enum event_role */
    __u8 from;      /* enum event_owner_from */
    __u8 flags;     /* enum event_record_flag */
    __u8 reserved;
    __u8 local[16]; /* IPv4: the first four bytes */
    __u8 peer[16];
    struct event_owner owner;
};

_Static_assert(sizeof(struct event_owner) == 56, "event_owner has padding");
_Static_assert(sizeof(struct event_record) == 160, "event_record has padding");

/* What the programs are told, in their .bss, and what they count there. */
struct event_control {
    __u32 netns;    /* inode; 0: every namespace */
    __u32 pidns;    /* of the reader: its inode; 0: the initial one */
    __u32 test_pid; /* this process's listen(2) is told of; 0: nobody's */
    __u32 reserved;
    __u64 lost; /* events for which there was no room */
};

/* Connections and listeners that are followed at the least cost, in 6 MB; there may be more. */
#define EVENT_LIVES_MAX 65536
#define EVENT_LISTENERS_MAX 1024

/* Bytes between the kernel and us: at 20,000 connections a second more than a second. */
#define EVENT_RING_SIZE (8 << 20)
