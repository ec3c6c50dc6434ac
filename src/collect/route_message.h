/* SPDX-License-Identifier: MIT */
/* Routes out of rtnetlink messages and out of lines of /proc/net/ipv6_route. */
#pragma once

#include "model/snapshot.h"

/*
 * Adds the route of an RTM_NEWROUTE message: one element for each of its next hops. 0, -EBADMSG for
 * a message that is too short, or -ENOMEM.
 */
int route_read(struct snapshot *snapshot, uint32_t netns, const void *payload, size_t length)
    MUST_CHECK;

/* A line of /proc/net/ipv6_route. */
struct route_line {
    union address dst, src, gateway;
    uint8_t dst_bits, src_bits;
    uint32_t metric, refs, use, flags;
    const char *iface; /* not ended by a NUL */
    size_t iface_length;
};

/* False when the line (without its newline) is malformed. */
bool route_parse_line(const char *line, struct route_line *ret_line);

/*
 * Takes what `text`, the content of that file, tells into the routes from number `first` on. A line
 * that is no known route becomes one of its own. 0 or -ENOMEM.
 */
int route_add_use(struct snapshot *snapshot, uint32_t netns, uint32_t first, const char *text)
    MUST_CHECK;
