/* SPDX-License-Identifier: MIT */
/* What the kernel tells of one interface; for interfaces.c and the tests. */
#pragma once

#include "collect/source.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/*
 * Adds the interface of an RTM_NEWLINK message; `whole`: with state and counters, not only its
 * name. 0, -EBADMSG for a message that is too short, or -ENOMEM.
 */
int link_add(struct snapshot *snapshot, uint32_t netns, bool whole, const void *payload,
             size_t length) MUST_CHECK;

/*
 * Speed and queueing discipline of the interfaces of the namespace in which the thread is: those
 * from number `first` of the snapshot on. 0 or -ENOMEM; else a note says what is missing.
 */
int link_details(struct collection *collection, uint32_t first) MUST_CHECK;

/* Takes the counters of an RTM_NEWQDISC message for the interfaces from number `first` on. */
void link_read_qdisc(struct snapshot *snapshot, uint32_t first, const void *payload, size_t length);
