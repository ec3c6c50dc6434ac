/* SPDX-License-Identifier: MIT */
/* Addresses of interfaces out of rtnetlink messages and out of lines of /proc/net/if_inet6. */
#pragma once

#include "model/snapshot.h"

/*
 * Adds the address of an RTM_NEWADDR message, when it is an IPv4 one. 0, -EBADMSG for a message
 * that is malformed, or -ENOMEM.
 */
int address_read(struct snapshot *snapshot, uint32_t netns, const void *payload, size_t length)
    MUST_CHECK;

/*
 * Adds the address of a line: "fe80...01 02 40 20 80 eth0" are address, interface, prefix, scope,
 * flags and name. A malformed one is left out. 0 or -ENOMEM.
 */
int address_read_line(struct snapshot *snapshot, uint32_t netns, const char *line) MUST_CHECK;
