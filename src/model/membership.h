/* SPDX-License-Identifier: MIT */
/* Multicast: the groups that an interface listens to, and who joined them. */
#pragma once

#include "model/socket.h"

#include <stdbool.h>
#include <stdint.h>

enum membership_has {
    MEMBERSHIP_HAS_TIMER = 1u << 0,
    MEMBERSHIP_HAS_QUERIER = 1u << 1,
    MEMBERSHIP_HAS_MEMBERS = 1u << 2, /* every socket that we may see was asked whether it joined */
};

struct membership {
    union address group; /* AF_PACKET: the hardware address, `length` bytes */
    uint32_t netns;      /* index into snapshot.netns */
    uint32_t ifindex;
    uint32_t iface;    /* string: its name */
    uint32_t has;      /* enum membership_has */
    uint32_t users;    /* joins: of sockets, and of the kernel itself */
    uint32_t global;   /* AF_PACKET: references by hand (ip maddress add) */
    uint32_t timer_ms; /* until its next report */
    uint32_t querier;  /* string: "V3": version of IGMP that is spoken there */
    uint32_t flags;    /* IPv6: the kernel's MAF_* */
    uint16_t family;   /* AF_INET, AF_INET6, AF_PACKET: addresses of the link layer */
    uint16_t length;
};

/* A descriptor whose socket has joined. Those of one membership stand together. */
struct group_member {
    uint32_t membership; /* index into snapshot.memberships */
    uint32_t process;    /* index into snapshot.processes */
    uint32_t inode;      /* of the socket */
    int32_t fd;
};

/* A group that the kernel joins by itself on every interface that can: all hosts, solicited nodes.
 */
bool membership_is_of_kernel(const struct membership *membership);
