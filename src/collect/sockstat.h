/* SPDX-License-Identifier: MIT */
/* How many sockets a namespace has, which the kernel has at hand: whether reading them pays. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

struct sockstat {
    uint64_t used; /* of every family; without those of the kernel and time-wait */
    uint64_t tcp;  /* in the kernel's tables: without those that are bound and do not listen */
    uint64_t tcp_waiting;   /* time-wait among them */
    uint64_t tcp_allocated; /* of the whole machine, in a table or not; without time-wait */
    uint64_t udp;           /* of IPv4 */
};

/* Of the namespace of the calling thread. 0 or -errno. */
int sockstat_read(struct sockstat *ret_sockstat) MUST_CHECK;
