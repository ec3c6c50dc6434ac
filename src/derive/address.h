/* SPDX-License-Identifier: MIT */
/* What an address is: loopback, private, public; whether it is in a prefix. Pure. */
#pragma once

#include "model/socket.h"

enum address_scope {
    SCOPE_UNKNOWN,
    SCOPE_ANY, /* wildcard */
    SCOPE_LOOPBACK,
    SCOPE_PRIVATE, /* RFC 1918, RFC 4193, RFC 6598 (shared), link-local */
    SCOPE_PUBLIC,
    SCOPE_MULTICAST,
    SCOPE_MAX,
};

/* Only these families have addresses and ports. */
bool address_is_inet(unsigned int family);

/* An IPv4-mapped IPv6 address has the scope of the IPv4 address in it. SCOPE_UNKNOWN for other
 * families. */
enum address_scope address_scope(unsigned int family, const union address *address);
const char *address_scope_name(unsigned int scope);

/* The wildcard: 0.0.0.0 or ::. */
bool address_is_any(unsigned int family, const union address *address);

/* ::ffff:a.b.c.d */
bool address_is_mapped(unsigned int family, const union address *address);

/* True when the first `bits` bits of both are the same. */
bool address_in_prefix(const uint8_t *address, const uint8_t *prefix, unsigned int bits);
