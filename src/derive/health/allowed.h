/* SPDX-License-Identifier: MIT */
/* Listeners that are meant to be reached, as the configuration names them. Pure. */
#pragma once

#include "derive/join.h"

struct allowed_listener {
    const char *who;       /* a process or a unit; NULL: whoever */
    union address address; /* that it is bound to */
    uint16_t low, high;    /* ports */
    uint8_t proto;         /* PROTO_TCP or PROTO_UDP */
    uint8_t family;        /* of the address; 0: whichever */
};

/*
 * "tcp/443", "udp/60000-61000", "tcp/10.0.0.1:5432", "tcp/[2001:db8::1]:443@nginx": a protocol, a
 * port or a range, before it the address, behind it the name of the process or the unit. The word
 * is borrowed. 0 or -EINVAL.
 */
int allowed_parse(const char *word, struct allowed_listener *ret_allowed) MUST_CHECK;

enum allowance {
    ALLOWED_NOT,
    ALLOWED,
    ALLOWED_IF_OWNER, /* it depends on the owner, who is not known */
};

enum allowance allowed_find(const struct allowed_listener *list, uint32_t count,
                            const struct snapshot *snapshot, const struct join *join,
                            uint32_t socket);
