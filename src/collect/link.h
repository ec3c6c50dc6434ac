/* SPDX-License-Identifier: MIT */
/* What the kernel tells of one interface; for interfaces.c and the tests. */
#pragma once

#include "collect/source.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* How many attributes link_read() looks at: IFLA_LINK_NETNSID is the last of them. */
#define LINK_ATTRIBUTES (IFLA_LINK_NETNSID + 1)

/*
 * Takes the facts of an RTM_NEWLINK message into *interface; `attributes` has LINK_ATTRIBUTES. 0 or
 * -ENOMEM.
 */
int link_read(struct snapshot *snapshot, const struct ifinfomsg *link,
              const struct nlattr *const *attributes, struct interface *interface) MUST_CHECK;

/*
 * Speed and queueing discipline of the interfaces of the namespace in which the thread is: those
 * from number `first` of the snapshot on. 0 or -ENOMEM; else a note says what is missing.
 */
int link_details(struct collection *collection, uint32_t first) MUST_CHECK;

/* Takes the counters of an RTM_NEWQDISC message for the interfaces from number `first` on. */
void link_read_qdisc(struct snapshot *snapshot, uint32_t first, const void *payload, size_t length);
