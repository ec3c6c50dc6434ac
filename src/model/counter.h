/* SPDX-License-Identifier: MIT */
/* A counter of the kernel's protocols, as a file of /proc/net names it. */
#pragma once

#include <stdint.h>

/* The file that has it; the order in which they are read, and rows are shown. */
enum counter_source {
    COUNTER_SNMP,
    COUNTER_NETSTAT,
    COUNTER_SNMP6,
    COUNTER_SOCKSTAT,
    COUNTER_SOCKSTAT6,
    COUNTER_SOFTNET,
    COUNTER_XFRM,
    COUNTER_SCTP,
    COUNTER_CONNTRACK,
    COUNTER_SOURCE_MAX,
};

enum counter_flag {
    COUNTER_NEGATIVE = 1u << 0, /* `value` is the bits of a negative int64_t (Tcp MaxConn: -1) */
    COUNTER_GAUGE = 1u << 1,    /* goes up and down */
    COUNTER_WRAPS = 1u << 2,    /* has 32 bits in the kernel */
    COUNTER_MACHINE = 1u << 3,  /* of the whole machine, in whatever namespace it is read */
};

struct counter {
    uint64_t value;
    uint32_t netns; /* index into snapshot.netns */
    uint32_t name;  /* string: group and label in one, as nstat(8) writes it: "TcpExtTCPTimeouts" */
    uint32_t group; /* string: what the kernel puts it under: "TcpExt", "Ip6", "UDP" */
    uint32_t label; /* string: what the kernel calls it there: "TCPTimeouts", "inuse" */
    uint32_t cpu;   /* softnet_stat: 1 + number of the CPU; 0: of all together */
    uint16_t source; /* enum counter_source */
    uint16_t flags;  /* enum counter_flag */
};
