/* SPDX-License-Identifier: MIT */
/* Network namespaces and control groups. */
#pragma once

#include "model/socket.h"

#include <stdint.h>

enum netns_flag {
    NETNS_SELF = 1u << 0,          /* the one nwho was started in */
    NETNS_INIT = 1u << 1,          /* the one of process 1: netns_initial() */
    NETNS_READ = 1u << 2,          /* its sockets were asked for */
    NETNS_NO_MAIN_TABLE = 1u << 3, /* of IPv4 routes, not even an empty one: nothing was ever set up
                                    */
    NETNS_HAS_PORT_RANGE = 1u << 4,
    NETNS_HAS_CONNTRACK = 1u << 5, /* all that is tracked in it was read */
    NETNS_GONE = 1u << 6,          /* it ended while it was being read */
};

struct netns {
    uint32_t inode;               /* of nsfs: the number in "net:[4026531840]" */
    uint32_t name;                /* string: name in /run/netns or a mounted file's name; 0 none */
    uint32_t pid;                 /* a process in it, 0 when none is known */
    uint32_t flags;               /* enum netns_flag */
    uint32_t path;                /* string: a mounted file that refers to it; 0 none */
    uint32_t port_low, port_high; /* the kernel chooses ports from these (ip_local_port_range) */
    uint32_t counted[STATE_MAX];  /* TCP sockets that are only counted: NEED_STATE_COUNTS */
};

/* A cgroup2 directory, to name the cgroup id that a socket carries. */
struct cgroup {
    uint64_t id;
    uint32_t path; /* string */
};
