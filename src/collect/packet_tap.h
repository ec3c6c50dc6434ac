/* SPDX-License-Identifier: MIT */
/* A packet socket that counts what an interface passes; by a thread that reads its ring. */
#pragma once

#include "base/cleanup.h"
#include "bpf/packet_class.h"

#include <stdint.h>

struct packet_tap;

/* In the namespace of the calling thread. 0 or -errno. */
int packet_tap_open(uint32_t ifindex, uint32_t mtu, bool ethernet, struct packet_tap **ret_tap)
    MUST_CHECK;
void packet_tap_close(struct packet_tap *tap);

/* What was counted so far: received, sent; and how many packets the kernel could not hand over. */
void packet_tap_read(struct packet_tap *tap, struct packet_sums ret_sums[2], uint64_t *ret_lost);

/* Adds one packet. */
struct packet_seen {
    struct packet_bytes bytes;
    uint32_t size; /* of all of it, with the header of the link */
    uint32_t header;
    uint16_t type;
    bool ethernet, sent, broadcast;
};

void packet_sums_add(struct packet_sums sums[2], const struct packet_seen *seen, uint32_t mtu);
