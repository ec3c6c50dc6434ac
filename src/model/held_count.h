/* SPDX-License-Identifier: MIT */
/* Held counts: how many sockets processes hold, by state. */
#pragma once

#include <stdint.h>

struct held_count {
    uint32_t process; /* index into snapshot.processes */
    uint32_t count;
    uint8_t proto; /* enum socket_proto: TCP or UDP */
    uint8_t state; /* enum socket_state */
};

/* `items` is owned by whoever asked: free(3). Zeroed: there are none. */
struct held_counts {
    struct held_count *items;
    uint32_t count, capacity;
};
