/* SPDX-License-Identifier: MIT */
/* The BPF program that counts packets of one interface: loads it, reads what it has. */
#pragma once

#include "base/cleanup.h"
#include "bpf/packet_class.h"

#include <stdint.h>

struct packet_program {
    void *skeleton;             /* owned; NULL when closed */
    struct packet_state *state; /* memory shared with the program. Owned by the skeleton */
    int socket;                 /* it is attached to; -1: none */
};

#define PACKET_PROGRAM_INIT ((struct packet_program){.socket = -1})

/* In the namespace of the calling thread. 0, or -errno as the kernel gave it. */
int packet_program_open(uint32_t ifindex, uint32_t mtu, bool ethernet,
                        struct packet_program *ret_program) MUST_CHECK;
void packet_program_close(struct packet_program *program);
