/* SPDX-License-Identifier: MIT */
/* What a program adds up by flow, kept from one reading to the next. */
#pragma once

#include "bpf/traffic.h"

#include <stdbool.h>

struct kept_flow;

struct traffic_counts {
    struct traffic_program program;
    struct kept_flow *kept; /* owned */
    uint32_t kept_count, kept_capacity;
    struct traffic_other reported; /* of what had no room in the kernel */
    struct traffic_other no_room;  /* of what had none here, since the last reading */
};

#define TRAFFIC_COUNTS_INIT ((struct traffic_counts){.program = TRAFFIC_PROGRAM_INIT})

void traffic_counts_done(struct traffic_counts *counts);

/* Takes in what the kernel has, when it gave notice that there is much. 0 or -errno. */
int traffic_counts_drain(struct traffic_counts *counts) MUST_CHECK;

/* All flows since the last time; a flow may come more than once. 0, -errno, or what `fn` returned.
 */
int traffic_counts_read(struct traffic_counts *counts, traffic_flow_fn *fn, void *context)
    MUST_CHECK;

/* What had no room anywhere since the last time. */
struct traffic_other traffic_counts_other(struct traffic_counts *counts);

void traffic_sums_add(struct traffic_sums *to, const struct traffic_sums *from);

/* Whether the program has given notice, which is taken back. */
bool traffic_was_told(struct traffic_program *program);
