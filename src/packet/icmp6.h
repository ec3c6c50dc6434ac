/* SPDX-License-Identifier: MIT */
/* ICMPv6, with neighbor discovery and multicast listeners. */
#pragma once

#include "packet/packet.h"

enum icmp6_type {
    ICMP6_UNREACHABLE = 1,
    ICMP6_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4,
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_LISTENER_QUERY = 130,
    ICMP6_LISTENER_REPORT = 131,
    ICMP6_LISTENER_DONE = 132,
    ICMP6_ROUTER_SOLICITATION = 133,
    ICMP6_ROUTER_ADVERTISEMENT = 134,
    ICMP6_NEIGHBOR_SOLICITATION = 135,
    ICMP6_NEIGHBOR_ADVERTISEMENT = 136,
    ICMP6_REDIRECT = 137,
    ICMP6_LISTENER_REPORT2 = 143,
    ICMP6_AGENTS_REQUEST = 144,
    ICMP6_AGENTS_REPLY = 145,
    ICMP6_PREFIX_SOLICITATION = 146,
    ICMP6_PREFIX_ADVERTISEMENT = 147,
};

void icmp6_dissect(struct packet *packet, const struct layer *layer);

/* What the message at `at`, of `length` bytes, says behind its name. */
void icmp6_put_neighbor(struct packet *packet, uint8_t type, uint32_t at, uint32_t length);
void icmp6_put_listener(struct packet *packet, uint8_t type, uint32_t at, uint32_t length);
