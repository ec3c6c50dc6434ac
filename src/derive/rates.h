/* SPDX-License-Identifier: MIT */
/* Rates: what the counters of two snapshots say about the time between them. Pure. */
#pragma once

#include "model/snapshot.h"

struct socket_rate {
    bool known;                    /* the socket was there before, and both times its counters */
    uint64_t rx, tx;               /* payload, bytes/s */
    uint32_t segments, sent_again; /* sent since then, and how many of them again */
    bool unread; /* all the time data waited to be read; more came, and nothing was read */
};

/*
 * What the bytes of an interface are made of, since the snapshot before. They add up to what it
 * counted.
 */
struct interface_shares {
    uint64_t named;     /* payload of flows */
    uint64_t headers;   /* of these flows' packets, and of acknowledgements: from their number */
    uint64_t forwarded; /* passed on for others: from the number of packets */
    uint64_t unowned;   /* of no socket: the kernel's own, packet sockets, thrown away */
    uint64_t ahead;     /* of flows, beyond what the interface has: a socket holds it, or it came
                           after the interface was read. Part of `named` of the next time */
    uint64_t forwarded_ahead; /* packets, likewise: counters are read after the interface */
};

struct interface_rate {
    bool known;
    uint32_t before;     /* its index in the snapshot before; only when known */
    uint64_t elapsed_ns; /* between the two */
    uint64_t rx_bytes, tx_bytes;
    uint64_t rx, tx;                              /* bytes/s */
    uint64_t rx_packets, tx_packets;              /* packets/s */
    bool shares_known;                            /* there was accounting */
    struct interface_shares rx_shares, tx_shares; /* bytes */
};

struct counter_rate {
    bool known;
    int64_t delta; /* since the snapshot before; of a gauge it may be negative */
    int64_t rate;  /* the same per second, rounded */
};

struct packet_rate {
    bool known;
    uint64_t rx, tx; /* packets/s */
};

/* One for each element of `now`; NULL: nothing to compare with. */
struct rates {
    struct socket_rate *sockets;
    struct interface_rate *interfaces;
    struct counter_rate *counters;
    struct packet_rate *packet_sizes, *packet_protocols;
};

/*
 * Sockets are matched by cookie, interfaces by index and hardware address (or name, without one),
 * counters by name, each within its namespace; a counter that went back makes the rate unknown.
 * `earlier` are the rates of `before`, NULL if there are none. 0 or -ENOMEM.
 */
int rates_make(const struct snapshot *now, const struct snapshot *before,
               const struct rates *earlier, struct rates *ret_rates) MUST_CHECK;
void rates_done(struct rates *rates);

/* The same counter, or interface, in another snapshot has the same; never 0. */
uint64_t counter_identity(const struct snapshot *snapshot, const struct counter *counter);

/* The identity of the counter of a name, a namespace and a CPU (1 + number; 0: all together). */
uint64_t counter_key(const char *name, size_t length, uint32_t netns_inode, uint32_t cpu);
uint64_t interface_identity(const struct snapshot *snapshot, const struct interface *interface);
