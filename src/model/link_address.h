/* SPDX-License-Identifier: MIT */
/* An address that an interface has (RTM_GETADDR). */
#pragma once

#include "model/socket.h"

#include <stdint.h>

struct link_address {
    union address address;
    union address broadcast; /* IPv4; zero: none */
    union address peer;      /* of a point-to-point link; else as the address */
    uint32_t netns;          /* index into snapshot.netns */
    uint32_t ifindex;
    uint32_t label;  /* string: IPv4: name of the interface, or with ":" and a word behind it */
    uint32_t prefix; /* bits */
    uint32_t scope;  /* IPv4: RT_SCOPE_*; IPv6: IPV6_ADDR_* bits as in /proc/net/if_inet6 */
    uint32_t family; /* AF_INET, AF_INET6 */
};
