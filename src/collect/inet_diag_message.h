/* SPDX-License-Identifier: MIT */
/* One inet_diag message -> the facts of one socket. */
#pragma once

#include "base/cleanup.h"
#include "model/snapshot.h"
#include "netlink/multicast.h"

#include <linux/sock_diag.h>

struct inet_diag_msg;
struct nlattr;

/* Who joins these is told, by such messages, which TCP sockets the kernel destroys: since 4.3, of
 * the own namespace, without privilege. */
#define TCP_DESTROY_GROUPS                                                                         \
    (NETLINK_GROUP(SKNLGRP_INET_TCP_DESTROY) | NETLINK_GROUP(SKNLGRP_INET6_TCP_DESTROY))

/* The fixed part: addresses, state, queues, timer, uid, inode, cookie. netns and proto are the
 * caller's. */
void inet_diag_fill(struct socket *socket, const struct inet_diag_msg *message);

/*
 * The attributes behind the fixed part, as far as there are any, for socket number `index`;
 * `length` counts the whole payload. What another source already told is left as it is. 0 or
 * -ENOMEM.
 */
int inet_diag_details(struct snapshot *snapshot, uint32_t index, const void *payload, size_t length)
    MUST_CHECK;

/* True for what has no struct sock: time-wait (and fin-wait-2 after close) and syn-recv. It has no
 * owner and no details. */
bool inet_diag_is_minisocket(const struct inet_diag_msg *message);

/* The details of a socket, added when there are none. NULL without memory. */
struct tcp_details *inet_diag_tcp(struct snapshot *snapshot, struct socket *socket);

/* INET_DIAG_ULP_INFO: the name of what lies above TCP, and its numbers. 0 or -ENOMEM. */
int inet_diag_upper(struct snapshot *snapshot, struct tcp_details *tcp, const struct nlattr *info)
    MUST_CHECK;

/* INET_DIAG_INFO of an MPTCP socket (NULL: none). 0 or -ENOMEM. */
int inet_diag_mptcp(struct snapshot *snapshot, uint32_t index, const struct nlattr *info)
    MUST_CHECK;

/* What the congestion control keeps for itself, of all attributes of a message. 0 or -ENOMEM. */
int inet_diag_congestion(struct snapshot *snapshot, uint32_t index,
                         const struct nlattr *const *attributes) MUST_CHECK;
