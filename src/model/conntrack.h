/* SPDX-License-Identifier: MIT */
/* An entry of the kernel's table of tracked connections (nf_conntrack), as ctnetlink tells it. */
#pragma once

#include "model/socket.h"

/* What the packets of one direction have. Of a reply it is what NAT makes the other side send. */
struct conntrack_tuple {
    union address src, dst;       /* CTA_IP_* */
    uint16_t src_port, dst_port;  /* host order; GRE: keys; 0 of what has none */
    uint16_t icmp_id;             /* as the ports, of ICMP and ICMPv6 */
    uint8_t icmp_type, icmp_code; /* CTA_PROTO_ICMP* */
};

/* Which of its facts the kernel told. */
enum conntrack_has {
    CONNTRACK_HAS_STATE = 1u << 0,   /* CTA_PROTOINFO: of TCP, SCTP and DCCP */
    CONNTRACK_HAS_TIMEOUT = 1u << 1, /* CTA_TIMEOUT: not in the event of an entry that is over */
    CONNTRACK_HAS_MARK = 1u << 2,
    CONNTRACK_HAS_ZONE = 1u << 3,
    CONNTRACK_HAS_COUNTERS = 1u << 4, /* net.netfilter.nf_conntrack_acct when it was made */
    CONNTRACK_HAS_START = 1u << 5,    /* net.netfilter.nf_conntrack_timestamp when it was made */
    CONNTRACK_HAS_STOP = 1u << 6,     /* the same, of one that is over */
    CONNTRACK_HAS_ID = 1u << 7,
    CONNTRACK_HAS_USE = 1u << 8,
    CONNTRACK_HAS_ORIG_ZONE = 1u << 9, /* instead of zone: of one direction only */
    CONNTRACK_HAS_REPLY_ZONE = 1u << 10,
    CONNTRACK_HAS_TAGS = 1u << 11, /* SCTP's */
};

/* Bits of conntrack.status: the kernel's enum ip_conntrack_status (IPS_*). */
enum conntrack_status {
    CONNTRACK_EXPECTED = 1u << 0,
    CONNTRACK_SEEN_REPLY = 1u << 1,
    CONNTRACK_ASSURED = 1u << 2, /* is not pushed out by new ones when the table is full */
    CONNTRACK_CONFIRMED = 1u << 3,
    CONNTRACK_SRC_NAT = 1u << 4,
    CONNTRACK_DST_NAT = 1u << 5,
    CONNTRACK_DYING = 1u << 9,
    CONNTRACK_FIXED_TIMEOUT = 1u << 10,
    CONNTRACK_HELPER = 1u << 13,
    CONNTRACK_OFFLOAD = 1u << 14,    /* its packets take a flowtable's way (since 4.16) */
    CONNTRACK_HW_OFFLOAD = 1u << 15, /* and that of a network card (since 5.5) */
};

/* conntrack.state of TCP: the kernel's enum tcp_conntrack. */
enum conntrack_tcp_state {
    CONNTRACK_TCP_NONE,
    CONNTRACK_TCP_SYN_SENT,
    CONNTRACK_TCP_SYN_RECV,
    CONNTRACK_TCP_ESTABLISHED,
    CONNTRACK_TCP_FIN_WAIT,
    CONNTRACK_TCP_CLOSE_WAIT,
    CONNTRACK_TCP_LAST_ACK,
    CONNTRACK_TCP_TIME_WAIT,
    CONNTRACK_TCP_CLOSE,
    CONNTRACK_TCP_SYN_SENT2, /* a SYN from both sides */
};

struct conntrack {
    struct conntrack_tuple orig, reply; /* CTA_TUPLE_ORIG, CTA_TUPLE_REPLY */
    uint64_t orig_packets, orig_bytes, reply_packets, reply_bytes; /* IP packets with all headers */
    uint64_t start_ns, stop_ns;                                    /* CLOCK_REALTIME */
    uint32_t netns;     /* index into snapshot.netns: whose table it is in */
    uint32_t has;       /* enum conntrack_has */
    uint32_t id;        /* unique in its namespace while it lives (CTA_ID) */
    uint32_t status;    /* enum conntrack_status (CTA_STATUS) */
    uint32_t timeout_s; /* left until it is forgotten, if no packet comes */
    uint32_t mark, use;
    uint32_t orig_tag, reply_tag;   /* verification tags of SCTP */
    uint32_t helper;                /* string: ftp, sip, ...; 0 none */
    uint32_t labels;                /* string: bytes of the bits; 0 none */
    uint32_t security;              /* string: label of the LSM (CTA_SECCTX); 0 none */
    uint16_t zone;                  /* CTA_ZONE */
    uint16_t orig_zone, reply_zone; /* CTA_TUPLE_ZONE */
    uint8_t family;                 /* AF_INET, AF_INET6 */
    uint8_t protocol;               /* of IP: IPPROTO_TCP, ... */
    uint8_t state;                  /* of TCP: enum conntrack_tcp_state; others: theirs */
};

/*
 * The word for its state, as sockets have it where one is alike ("fin-wait": one side has closed;
 * "closed": by a reset); NULL: it has none.
 */
const char *conntrack_state_name(const struct conntrack *entry);

/* Protocol of the sockets that it may be of (enum socket_proto); PROTO_UNKNOWN: of none. */
unsigned int conntrack_proto(const struct conntrack *entry);
