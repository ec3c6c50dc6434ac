/* SPDX-License-Identifier: MIT */
/* What is known of the processes that packets are of, beyond what tells of packets. */
#pragma once

#include "model/packet_owner.h"
#include "model/snapshot.h"

struct packet_processes {
    struct snapshot snapshot; /* its processes, each as it was when it was added */
    struct map rows;          /* address of a struct packet_process -> index into them */
    uint64_t needs; /* enum need: what is read; with NEED_PROCESS_STAT all ancestors too */
};

int packet_processes_init(struct packet_processes *processes, uint64_t needs) MUST_CHECK;
void packet_processes_done(struct packet_processes *processes);

/*
 * The index of a process in the snapshot; it is added when it is new, and read from /proc if it is
 * still there. `process` stays where it is. 0 or -ENOMEM.
 */
int packet_processes_add(struct packet_processes *processes, const struct packet_process *process,
                         uint32_t *ret_index) MUST_CHECK;

/* The index of the parent; MAP_NONE: it is unknown. */
uint32_t packet_processes_parent(const struct packet_processes *processes, uint32_t index);
