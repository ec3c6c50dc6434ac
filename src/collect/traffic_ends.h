/* SPDX-License-Identifier: MIT */
/* Ends of sockets, as BPF tells them: what closed one, and what TCP had counted in the end. They
 * are kept as they come, and reported when all that was counted before is. */
#pragma once

#include "bpf/traffic.h"
#include "collect/traffic_sockets.h"

struct traffic_ends {
    struct traffic_program end, close;
    int end_error, close_error; /* why a program is not there; 0: it is */
    struct traffic_tcp *ends;
    struct traffic_close *closes;
    uint32_t ends_count, ends_capacity, closes_count, closes_capacity;
    uint32_t early_closes, early_ends; /* of before it was known what sockets had at the start */
    uint64_t dropped;                  /* records that had no room here */
};

#define TRAFFIC_ENDS_INIT                                                                          \
    ((struct traffic_ends){.end = TRAFFIC_PROGRAM_INIT, .close = TRAFFIC_PROGRAM_INIT})

/* Loads both programs; processes are numbered as in the pid namespace of this inode. */
void traffic_ends_open(struct traffic_ends *ends, uint32_t pidns);
void traffic_ends_done(struct traffic_ends *ends);

/* Takes what has come. 0 or -errno. */
int traffic_ends_keep(struct traffic_ends *ends) MUST_CHECK;

/* What has come until now is of before the start. */
void traffic_ends_begin(struct traffic_ends *ends);

/* Tells the sockets, and through them the table, which have ended. 0 or -ENOMEM. */
int traffic_ends_report(struct traffic_ends *ends, struct traffic_sockets *sockets,
                        struct flow_table *table, uint64_t now_ns) MUST_CHECK;

/* How many were lost, here and in the kernel. */
uint64_t traffic_ends_lost(const struct traffic_ends *ends);
