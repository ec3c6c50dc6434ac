/* SPDX-License-Identifier: MIT */
/* One inet_diag message -> the facts of one socket. */
#pragma once

#include "base/cleanup.h"
#include "model/snapshot.h"

struct inet_diag_msg;

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
