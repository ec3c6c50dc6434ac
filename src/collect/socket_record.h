/* SPDX-License-Identifier: MIT */
/* Socket record: what BPF tells of a socket, as a socket of the snapshot. */
#pragma once

#include "bpf/iterators.h"
#include "collect/source.h"

struct socket_records {
    struct collection *collection;
    uint32_t tick_ns; /* of the kernel's timers */
    bool unindexed;   /* nothing else will ask for these sockets by cookie */
};

/* Of this kernel, in nanoseconds. */
uint32_t socket_records_tick(void);

/* Adds the socket, or renews what an earlier record of the same pass told of it. 0 or -ENOMEM. */
int socket_records_add(const struct socket_records *records, uint32_t netns,
                       const struct record *record) MUST_CHECK;

/* Counts the socket that a head alone is of. */
void socket_records_count(const struct socket_records *records, uint32_t netns,
                          const struct record *record);
/* So many of a state, all at once. */
void socket_records_count_many(const struct socket_records *records, uint32_t netns,
                               unsigned int state, uint32_t count);
void socket_records_forget_counted(const struct socket_records *records);

/* From when on the request takes a connection for idle. */
void socket_records_set_idle(const struct socket_records *records, struct iterator_filter *filter);
