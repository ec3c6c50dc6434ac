/* SPDX-License-Identifier: MIT */
/* Shared by BPF and program: which packets are of which socket, and who uses that. */
#pragma once

#include "bpf/event_record.h"

/* The layout is fixed by the order below, as in record.h. */

enum packet_owner_record_kind {
    PACKET_RECORD_FLOW,  /* packets between these ends are of this socket */
    PACKET_RECORD_OWNER, /* another process uses the socket now; no ends are told */
    PACKET_RECORD_CLOSED,
};

enum packet_owner_record_flag {
    PACKET_OWNER_KERNEL = 1 << 0, /* a socket of the kernel itself */
    PACKET_OWNER_LISTENS = 1 << 1 /* packets of a connection that is not made yet */
};

struct packet_owner_record {
    __u64 cookie;
    /* CLOCK_BOOTTIME: when the process before this one used it last, so that older packets are of
     * that one; 0: there was none, or it only held the socket. CLOSED: when it was. */
    __u64 since_ns;
    __u32 netns;                 /* inode */
    __u16 local_port, peer_port; /* host order; of an echo of ICMP its id and 0 */
    __u8 kind, family, proto;    /* IPPROTO_ as the packet has it */
    __u8 from;                   /* enum event_owner_from */
    __u8 flags;
    __u8 reserved[3];
    __u8 local[16]; /* IPv4: the first four bytes */
    __u8 peer[16];
    struct event_owner owner;
};

_Static_assert(sizeof(struct packet_owner_record) == 120, "packet_owner_record has padding");

/* What the programs are told, in their .bss, and what they count there. */
struct packet_owner_control {
    __u32 pidns; /* of the reader: its inode; 0: the initial one */
    __u32 netns; /* only its sockets are told of: its inode; 0: all */
    __u64 lost;  /* records for which there was no room */
};

#define PACKET_OWNER_RING_SIZE (4 << 20)
#define PACKET_OWNER_TOLD_MAX 65536 /* flows of unconnected sockets that are remembered as told */
