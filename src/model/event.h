/* SPDX-License-Identifier: MIT */
/* Events: what happened to a TCP connection, when, and whose it is. */
#pragma once

#include "model/packet_owner.h"
#include "model/socket.h"

#include <stdint.h>

enum event_kind {
    EVENT_OPENED,   /* a connection of our own is established */
    EVENT_ACCEPTED, /* one that came in is established: the listener's queue has it */
    EVENT_CLOSED,   /* it is over, or never came about; the verdict says how */
    EVENT_RETRANSMITTED,
    EVENT_KIND_MAX,
};

/* What happened to an entry of the table of tracked connections: event.kind of its ends. */
enum tracked_kind {
    TRACKED_NEW,
    TRACKED_CHANGED, /* its state, its mark, ... */
    TRACKED_FORGOTTEN,
    TRACKED_KIND_MAX,
};

/* Of a tracked connection there are two, side by side, with its entry in snapshot.conntracks: the
 * client's end, and the server's. Only what is known of an end and of time is in them. */
enum event_verdict {
    EVENT_NO_VERDICT, /* not over, or unknown */
    EVENT_CLOSED_NORMALLY,
    EVENT_REFUSED,
    EVENT_RESET,
    EVENT_TIMED_OUT,
    EVENT_UNREACHABLE, /* said by a router, or by this machine */
    EVENT_ABORTED,     /* given up here: connect(2) interrupted, socket destroyed (ss -K) */
    EVENT_VERDICT_MAX,
};

/* Who ended it: closed first, or sent the reset. */
enum event_side {
    EVENT_SIDE_UNKNOWN,
    EVENT_SIDE_LOCAL,
    EVENT_SIDE_PEER,
    EVENT_SIDE_MAX,
};

enum event_direction {
    EVENT_DIRECTION_UNKNOWN,
    EVENT_OUT,
    EVENT_IN,
    EVENT_DIRECTION_MAX,
};

/* What the process has to do with it, and by that how sure it is. */
enum event_owner_kind {
    EVENT_UNOWNED,
    EVENT_OWNED_BY_LISTENER, /* holds the listener; of an accepted connection nobody else was seen
                              */
    EVENT_OWNED_BY_HOLDER,   /* had a descriptor when it was looked for */
    EVENT_OWNED_BY_CLOSER,
    EVENT_OWNED_BY_USER, /* connected, or was the first to send or receive */
    EVENT_OWNED_BY_KERNEL,
    EVENT_OWNER_KIND_MAX,
};

enum event_has {
    EVENT_HAS_PROCESS = 1u << 0, /* pid, comm */
    EVENT_HAS_PARENT = 1u << 1,
    EVENT_HAS_UID = 1u << 2,
    EVENT_HAS_BYTES = 1u << 3,
    EVENT_HAS_START = 1u << 4,
    EVENT_HAS_HANDSHAKE = 1u << 5,
    EVENT_HAS_RTT = 1u << 6,
    EVENT_HAS_RETRANSMITS = 1u << 7,
    EVENT_HAS_ERROR = 1u << 8,
};

struct event {
    uint64_t time_ns;   /* CLOCK_BOOTTIME */
    uint64_t start_ns;  /* the same: connect(2), or the end of the handshake of an accepted one */
    uint64_t cookie;    /* SO_COOKIE */
    uint64_t cgroup_id; /* of the process, see snapshot.cgroups; 0: unknown */
    uint64_t rx_bytes, tx_bytes;    /* payload that arrived, that was sent (each byte once) */
    uint32_t has;                   /* enum event_has */
    uint32_t pid, ppid;             /* as in our /proc */
    uint32_t uid;                   /* of the process, effective; without one, of the socket */
    uint32_t comm, parent;          /* strings: names of process and parent process */
    uint32_t netns;                 /* index into snapshot.netns */
    uint32_t handshake_us;          /* from SYN to established; accepted: from our answer on */
    uint32_t rtt_us;                /* smoothed, at that moment */
    uint32_t retransmits;           /* segments, so far */
    uint32_t error;                 /* errno of the socket; 0: none */
    uint16_t local_port, peer_port; /* host order */
    uint8_t kind;                   /* enum event_kind */
    uint8_t end;                    /* enum packet_end_kind, of a tracked connection */
    uint8_t verdict;                /* enum event_verdict */
    uint8_t ended_by;               /* enum event_side */
    uint8_t direction;              /* enum event_direction */
    uint8_t owned_by;               /* enum event_owner_kind */
    uint8_t proto;                  /* enum socket_proto */
    uint8_t family;                 /* AF_INET, AF_INET6 */
    union address local, peer;
};
