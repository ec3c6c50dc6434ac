/* SPDX-License-Identifier: MIT */
/* Parses one message of ctnetlink: an entry of the table of tracked connections. */
#pragma once

#include "model/snapshot.h"

/*
 * Fills in an entry; its strings are put into the snapshot. `payload` is behind the nlmsghdr. 0;
 * -EBADMSG for a message without both directions; -ENOMEM.
 */
int conntrack_read(struct snapshot *snapshot, const void *payload, size_t length,
                   struct conntrack *ret_entry) MUST_CHECK;
