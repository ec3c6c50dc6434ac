/* SPDX-License-Identifier: MIT */
/* Flows: what a process, by one of its threads, sent and received through one socket while
 * accounting ran. */
#pragma once

#include "model/socket.h"

#include <stdint.h>

/* How exactly traffic is counted: the ladder, best last. */
enum accounting_level {
    ACCOUNTING_NONE,       /* not asked for */
    ACCOUNTING_INTERFACES, /* only the counters of interfaces: no flows */
    ACCOUNTING_TCP_INFO,   /* differences of tcp_info, and the kernel's notice when a connection is
                              destroyed (sock_diag, since 4.1 and 4.3): TCP only */
    ACCOUNTING_BPF,        /* every call that sends or receives, counted in the kernel */
    ACCOUNTING_LEVEL_MAX,
};

/* The times over which bytes are counted besides the whole, ending now. */
enum flow_window {
    FLOW_LAST, /* since the snapshot before, or since accounting began */
    FLOW_2S,
    FLOW_10S,
    FLOW_40S,
    FLOW_60S,
    FLOW_WINDOW_MAX,
};

enum flow_flag {
    FLOW_CLOSED = 1u << 0,  /* the socket was closed; kept for a minute */
    FLOW_EXITED = 1u << 1,  /* the process has ended; kept for a minute */
    FLOW_FOLDED = 1u << 2,  /* all closed sockets of the process that are not listed any more: no
                               addresses, `sockets` says how many; of processes that have ended, of
                               all with this name, user and cgroup (0: any) */
    FLOW_OTHER = 1u << 3,   /* what had no room in the kernel's tables: exact sums without a process
                               or socket */
    FLOW_SPLICED = 1u << 4, /* has bytes that no call was seen for (splice, zero-copy receive), only
                               in the counters of the socket; given to its first user */
    FLOW_PEER = 1u << 5,    /* what an unconnected socket exchanged with this peer, as long as peers
                               are asked for; the rest is in the flow that has none */
};

/* Payload: what the process handed to the kernel or got from it, without any header. */
struct traffic {
    uint64_t rx_bytes, tx_bytes;
};

static inline void traffic_add(struct traffic *sum, struct traffic more)
{
    sum->rx_bytes += more.rx_bytes;
    sum->tx_bytes += more.tx_bytes;
}

/*
 * Packets as they are on the wire: each with its headers down to that of the link, as its interface
 * counts it (Ethernet: 14 bytes), and also what the kernel sent by itself, sent again or threw
 * away. A large one that is cut up later (GSO, GRO) is many, a datagram of several fragments one.
 */
struct wire {
    uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

static inline void wire_add(struct wire *sum, const struct wire *more)
{
    sum->rx_bytes += more->rx_bytes;
    sum->tx_bytes += more->tx_bytes;
    sum->rx_packets += more->rx_packets;
    sum->tx_packets += more->tx_packets;
}

struct flow {
    uint64_t id;          /* the same flow has it in every snapshot of one accounting; never 0 */
    uint64_t cookie;      /* SO_COOKIE; 0: folded or other */
    uint64_t cgroup_id;   /* of the process when it was first seen; 0: unknown */
    uint64_t first_ns;    /* CLOCK_BOOTTIME of the first traffic */
    uint64_t last_ns;     /* and of the last */
    struct traffic total; /* since accounting began */
    struct traffic window[FLOW_WINDOW_MAX]; /* snapshot.window_ns says how long each is */
    struct wire wire, wire_last; /* while packets were counted (snapshot.wire_ns), and since the
                                    snapshot before. Of a socket: its busiest flow has them */
    uint64_t rx_calls, tx_calls; /* system calls, or datagrams; 0 where only bytes are known */
    uint64_t start_ticks;        /* of the process, as struct process has it; 0: unknown */
    uint32_t process;            /* 1 + index into snapshot.processes; 0: none */
    uint32_t pid;                /* 0: nobody's, or unknown */
    uint32_t tid;                /* thread that made the calls; 0: unknown */
    uint32_t ppid;               /* parent of the process when it was first seen; 0: unknown */
    uint32_t uid;                /* effective, of the process */
    uint32_t comm;               /* string: name of the thread */
    uint32_t netns;              /* index into snapshot.netns */
    uint32_t ifindex;            /* it is bound to it, came by it, or has its address; 0: unknown */
    uint32_t flags;              /* enum flow_flag */
    uint32_t sockets;            /* 1, or of FLOW_FOLDED how many */
    uint16_t local_port, peer_port; /* host order; 0: none */
    uint8_t proto;                  /* enum socket_proto */
    uint8_t family;                 /* AF_INET, AF_INET6; 0: folded or other */
    union address local, peer;      /* unconnected: the peer is all zero, unless FLOW_PEER */
};

/* "bpf", "tcp_info", "interfaces", "none". */
const char *accounting_level_name(unsigned int level);

/* For people: "exact: BPF". */
const char *accounting_level_label(unsigned int level);
