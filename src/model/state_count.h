/* SPDX-License-Identifier: MIT */
/* State counts: how many sockets were in a state in the course of a time. */
#pragma once

#include <stdint.h>

/* Sockets of one kind in one state, in one namespace. */
struct state_count {
    uint64_t sum;   /* of all ticks: divided by `ticks` it is the mean */
    uint32_t ticks; /* that were counted, also those with none */
    uint32_t min, max, last;
    uint32_t netns; /* index into snapshot.netns */
    uint8_t proto;  /* enum socket_proto */
    uint8_t state;  /* enum socket_state */
};
