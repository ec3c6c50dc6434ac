/* SPDX-License-Identifier: MIT */
/* A route by one of its next hops: where it has several, one of these for each (RTM_GETROUTE). */
#pragma once

#include "model/socket.h"

#include <stdint.h>

enum route_has {
    ROUTE_HAS_GATEWAY = 1u << 0,
    ROUTE_HAS_SOURCE = 1u << 1, /* preferred source address */
    ROUTE_HAS_METRIC = 1u << 2,
    ROUTE_HAS_EXPIRES = 1u << 3,
    ROUTE_HAS_USE = 1u << 4,  /* refs, use, proc_flags, proc_line: from /proc/net/ipv6_route */
    ROUTE_HAS_TYPE = 1u << 5, /* all that rtnetlink tells; not of what is only in that file */
    ROUTE_HAS_UID = 1u << 6,
};

enum route_flag {
    ROUTE_ANSWER = 1u << 0, /* in no table: what the kernel said to request.route_to */
    ROUTE_CHOSEN = 1u << 1, /* the entry that this answer came from */
};

/* The kernel's RTAX_* metrics by their number; `metrics` has a bit for each that is set. */
#define ROUTE_METRICS 18

struct route {
    union address dst, src; /* of prefix dst_bits, src_bits */
    union address gateway;  /* of family gateway_family */
    union address source;   /* preferred source address */
    uint32_t metric[ROUTE_METRICS];
    uint32_t netns;      /* index into snapshot.netns */
    uint32_t has;        /* enum route_has */
    uint32_t flags;      /* enum route_flag */
    uint32_t metrics;    /* 1 << RTAX_*: set in metric[] */
    uint32_t locked;     /* 1 << RTAX_*: not to be changed by what is learned */
    uint32_t table;      /* RT_TABLE_* or any number */
    uint32_t priority;   /* what route(8) calls its metric */
    uint32_t ifindex;    /* 0 none */
    uint32_t rtm_flags;  /* RTM_F_* and RTNH_F_* of the route */
    uint32_t hop_flags;  /* RTNH_F_* of this next hop */
    uint32_t hop, hops;  /* this is number `hop` (from 1) of `hops`; 0 and 0: there is none */
    uint32_t weight;     /* of the next hop */
    uint32_t nexthop_id; /* of a nexthop object; 0 none */
    uint32_t congestion; /* string: RTAX_CC_ALGO */
    uint32_t expires_s;
    uint32_t refs, use;  /* as /proc/net/ipv6_route has them */
    uint32_t proc_flags; /* RTF_* */
    uint32_t proc_line;  /* number of the line there, from 1; 0: none */
    uint32_t uid;        /* ANSWER: the user whom it is for */
    int32_t error;       /* ANSWER: why there is no way, negative errno; 0 there is one */
    uint8_t family;      /* AF_INET, AF_INET6 */
    uint8_t gateway_family;
    uint8_t dst_bits, src_bits;
    uint8_t tos, type, scope, protocol; /* RTN_*, RT_SCOPE_*, RTPROT_* */
};
