/* SPDX-License-Identifier: MIT */
/* What is known of a packet beside its bytes, and of where it was captured. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum packet_direction { PACKET_DIRECTION_UNKNOWN, PACKET_IN, PACKET_OUT };

struct packet_note {
    uint32_t interface; /* its number, in the order in which they were told, from 0 on */
    enum packet_direction direction;
    uint32_t pid, tid;   /* 0: unknown */
    const char *comment; /* "nginx[1187]", or why there is nobody; NULL: none */
};

struct packet_interface {
    const char *name;        /* "eth0"; NULL: it has none */
    const char *description; /* "netns web"; NULL: none */
    int link_type;           /* DLT_ of pcap */
    uint32_t snapshot_length;
    bool nanoseconds; /* what fractions of its packets are, else microseconds */
};

/* What became of the packets of an interface. */
struct packet_counts {
    uint64_t received, dropped_by_interface, dropped_by_kernel;
};
