/* SPDX-License-Identifier: MIT */
/* Whose a packet is: at each end a process, or the reason why there is none. */
#pragma once

#include <stdint.h>

/* A process as the kernel told it. */
struct packet_process {
    uint32_t pid; /* as in our /proc */
    uint32_t ppid;
    uint32_t uid;       /* effective */
    uint64_t cgroup_id; /* of cgroup2; 0: unknown */
    char comm[16];      /* raw bytes; no NUL when all are used */
    char parent[16];    /* the name of process `ppid` */
};

enum packet_end_kind {
    PACKET_END_ELSEWHERE, /* not on this machine, or not in this namespace */
    PACKET_END_PROCESS,
    PACKET_END_LISTENER,  /* the process that listens: nobody has used the connection yet */
    PACKET_END_TIME_WAIT, /* the process that had the connection; without one, unknown which */
    PACKET_END_KERNEL,
    PACKET_END_CLOSED_PORT,
    PACKET_END_UNKNOWN,
    PACKET_END_MAX,
};

struct packet_end {
    uint8_t kind;                         /* enum packet_end_kind */
    uint64_t cookie;                      /* of its socket; 0: unknown */
    const struct packet_process *process; /* NULL: none, or unknown */
};

/* What a packet is that has neither end in this namespace. */
enum packet_transit {
    PACKET_TRANSIT_NONE, /* it has */
    PACKET_TRANSIT_FORWARDED,
    PACKET_TRANSIT_MULTICAST, /* for a group, or all of the link; nobody here is known to get it */
    PACKET_TRANSIT_BROADCAST,
    PACKET_TRANSIT_MAX,
};

struct packet_owner {
    struct packet_end sender, receiver;
    uint8_t transit; /* enum packet_transit */
    uint32_t number; /* those with the same one are the same, for the moment; 0: it is alone */
};
