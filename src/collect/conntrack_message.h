/* SPDX-License-Identifier: MIT */
/* Parses messages of ctnetlink: an entry of the table of tracked connections, or an expectation. */
#pragma once

#include "model/snapshot.h"

#include <linux/netlink.h>

/*
 * Fills in an entry; its strings are put into the snapshot. `payload` is behind the nlmsghdr. 0;
 * -EBADMSG for a message without both directions; -ENOMEM.
 */
int conntrack_read(struct snapshot *snapshot, const void *payload, size_t length,
                   struct conntrack *ret_entry) MUST_CHECK;

/* A connection that a helper expects, of which another one, its master, has spoken. */
struct conntrack_expectation {
    struct conntrack_tuple tuple, mask, master;
    uint32_t timeout_s;
    uint32_t class;  /* of its helper */
    uint32_t helper; /* string; 0 none */
    uint16_t zone;
    uint8_t family;
    uint8_t protocol;
};

/* As conntrack_read(). */
int conntrack_read_expectation(struct snapshot *snapshot, const void *payload, size_t length,
                               struct conntrack_expectation *ret_expectation) MUST_CHECK;

/* What a message to one of its groups tells (enum tracked_kind); TRACKED_KIND_MAX: another thing.
 * Expectations have the same numbers as entries. */
enum tracked_kind conntrack_message_kind(const struct nlmsghdr *message);

/*
 * When that happened (CLOCK_REALTIME, ns), where the kernel tells: since Linux 6.14, with
 * net.netfilter.nf_conntrack_timestamp; else 0. `payload` is behind the nlmsghdr.
 */
uint64_t conntrack_message_time(const void *payload, size_t length);
