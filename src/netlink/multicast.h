/* SPDX-License-Identifier: MIT */
/* Netlink: what the kernel sends to groups by itself, without having been asked. */
#pragma once

#include "netlink/netlink.h"

/* Groups are numbered from 1 (enum sknetlink_groups and its kin). */
#define NETLINK_GROUP(number) (1u << ((number)-1))

/*
 * A socket that gets what is sent to `groups` in the calling thread's network namespace. So many
 * bytes may wait in it, without CAP_NET_ADMIN not more than the system allows; 0: as many as usual.
 * The caller closes it. 0 or -errno.
 */
int netlink_join(int protocol, uint32_t groups, int bytes, int *ret_fd) MUST_CHECK;

/* One message that was sent to a group. A negative return ends the datagram and is returned. */
typedef int netlink_notice_fn(void *context, const struct nlmsghdr *message);

/*
 * Reads one datagram (`flags` of recv(2)) and calls `fn` for each of its messages. 0, what `fn`
 * returned, or -errno: -EAGAIN when there is none, -ENOBUFS when some were lost before.
 */
int netlink_hear(int fd, int flags, netlink_notice_fn *fn, void *context) MUST_CHECK;
