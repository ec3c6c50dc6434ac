/* SPDX-License-Identifier: MIT */
/* A network interface: its name, and with NEED_LINKS its state and counters (RTM_GETLINK). */
#pragma once

#include <stdint.h>

enum interface_has {
    INTERFACE_HAS_LINK = 1u << 0,      /* flags, MTU, state, ...: what RTM_GETLINK tells */
    INTERFACE_HAS_STATS = 1u << 1,     /* the counters */
    INTERFACE_HAS_NOHANDLER = 1u << 2, /* stats.rx_nohandler: since 4.6 */
    INTERFACE_HAS_OTHERHOST = 1u << 3, /* stats.rx_otherhost_dropped: since 5.19 */
    INTERFACE_HAS_CARRIER_CHANGES = 1u << 4,
    INTERFACE_HAS_SPEED = 1u << 5, /* its driver tells one, and the link is up */
    INTERFACE_HAS_QDISC = 1u << 6, /* counters of the root queueing discipline */
    INTERFACE_HAS_DUPLEX = 1u << 7,
};

/* The kernel's struct rtnl_link_stats64 (IFLA_STATS64), member by member. */
struct link_stats {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
    uint64_t multicast, collisions;
    uint64_t rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors;
    uint64_t rx_missed_errors;
    uint64_t tx_aborted_errors, tx_carrier_errors, tx_fifo_errors, tx_heartbeat_errors;
    uint64_t tx_window_errors;
    uint64_t rx_compressed, tx_compressed, rx_nohandler, rx_otherhost_dropped;
};

#define LINK_STATS (sizeof(struct link_stats) / sizeof(uint64_t))

/* What the queueing discipline at the root counts (TCA_STATS_QUEUE). */
struct queue_stats {
    uint32_t packets;       /* waiting now */
    uint32_t backlog_bytes; /* of them */
    uint32_t drops, requeues, overlimits;
};

struct interface {
    struct link_stats stats;
    uint32_t netns;   /* index into snapshot.netns */
    uint32_t ifindex; /* unique in its namespace */
    uint32_t name;    /* string, raw bytes */
    uint32_t has;     /* enum interface_has */
    uint32_t flags;   /* the kernel's IFF_* */
    uint32_t mtu;     /* bytes */
    uint32_t master;  /* ifindex of the bridge, bond or VRF that it is a part of; 0 none */
    uint32_t lower;   /* ifindex of the device below it (VLAN, veth peer); 0 none */
    uint32_t kind;    /* string: "veth", "bridge", ...; 0: hardware, or lo */
    uint32_t qdisc;   /* string: kind of its root queueing discipline */
    uint32_t address; /* string: hardware address, written with colons */
    uint32_t tx_queue_length;
    uint32_t promiscuity;     /* how many want every packet */
    uint32_t carrier_changes; /* how often the link came or went */
    uint32_t speed_mbit;
    uint32_t operstate; /* IF_OPER_* */
    struct queue_stats queue;
    uint16_t type; /* ARPHRD_* */
    uint16_t full_duplex;
};
