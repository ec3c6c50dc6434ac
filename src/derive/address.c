/* SPDX-License-Identifier: MIT */
/* Scopes of addresses: one table of prefixes for each family. */
#include "derive/address.h"

#include "base/cleanup.h"

#include <string.h>
#include <sys/socket.h>

struct prefix {
    uint8_t bytes[16];
    uint8_t bits;
    uint8_t scope;
};

/* The first match counts; what matches none is public. */
static const struct prefix inet_prefixes[] = {
    {{0, 0, 0, 0}, 32, SCOPE_ANY},
    {{127}, 8, SCOPE_LOOPBACK},
    {{10}, 8, SCOPE_PRIVATE},
    {{172, 16}, 12, SCOPE_PRIVATE},
    {{192, 168}, 16, SCOPE_PRIVATE},
    {{169, 254}, 16, SCOPE_PRIVATE},
    {{100, 64}, 10, SCOPE_PRIVATE},
    {{224}, 4, SCOPE_MULTICAST},
    {{255, 255, 255, 255}, 32, SCOPE_MULTICAST},
};

static const struct prefix inet6_prefixes[] = {
    {{0}, 128, SCOPE_ANY},        {{[15] = 1}, 128, SCOPE_LOOPBACK},
    {{0xfc}, 7, SCOPE_PRIVATE},   {{0xfe, 0x80}, 10, SCOPE_PRIVATE},
    {{0xff}, 8, SCOPE_MULTICAST},
};

bool address_in_prefix(const uint8_t *address, const uint8_t *prefix, unsigned int bits)
{
    unsigned int bytes = bits / 8, rest = bits % 8;

    if (memcmp(address, prefix, bytes) != 0)
        return false;
    return rest == 0 || ((address[bytes] ^ prefix[bytes]) >> (8 - rest)) == 0;
}

bool address_is_inet(unsigned int family)
{
    return family == AF_INET || family == AF_INET6;
}

bool address_is_mapped(unsigned int family, const union address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    return family == AF_INET6 && memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

bool address_is_any(unsigned int family, const union address *address)
{
    return address_scope(family, address) == SCOPE_ANY;
}

static enum address_scope find_scope(const struct prefix *prefixes, size_t count,
                                     const uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++)
        if (address_in_prefix(bytes, prefixes[i].bytes, prefixes[i].bits))
            return prefixes[i].scope;
    return SCOPE_PUBLIC;
}

enum address_scope address_scope(unsigned int family, const union address *address)
{
    if (address_is_mapped(family, address))
        return find_scope(inet_prefixes, ARRAY_SIZE(inet_prefixes), address->bytes + 12);
    if (family == AF_INET)
        return find_scope(inet_prefixes, ARRAY_SIZE(inet_prefixes), address->bytes);
    if (family == AF_INET6)
        return find_scope(inet6_prefixes, ARRAY_SIZE(inet6_prefixes), address->bytes);
    return SCOPE_UNKNOWN;
}

const char *address_scope_name(unsigned int scope)
{
    static const char *const names[SCOPE_MAX] = {
        [SCOPE_UNKNOWN] = "unknown", [SCOPE_ANY] = "any",       [SCOPE_LOOPBACK] = "loopback",
        [SCOPE_PRIVATE] = "private", [SCOPE_PUBLIC] = "public", [SCOPE_MULTICAST] = "multicast",
    };

    return scope < SCOPE_MAX ? names[scope] : "unknown";
}
