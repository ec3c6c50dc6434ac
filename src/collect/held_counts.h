/* SPDX-License-Identifier: MIT */
/* Held counts: sockets of all processes by state, in one walk over descriptors (BPF) that keeps
 * nothing of a socket but that it was seen. */
#pragma once

#include "base/cleanup.h"
#include "model/held_count.h"
#include "model/request.h"
#include "model/snapshot.h"

#include <errno.h>

/*
 * TCP and UDP sockets of all namespaces; one that several hold is counted once, with the first of
 * them. Adds their processes to the snapshot, with names. 0, or -errno and nothing in *ret_counts:
 * there is no BPF here.
 */
#if HAVE_BPF
int held_counts_read(struct snapshot *snapshot, const struct request *request,
                     struct held_counts *ret_counts) MUST_CHECK;
#else
static inline int held_counts_read(struct snapshot *snapshot, const struct request *request,
                                   struct held_counts *ret_counts)
{
    (void)snapshot;
    (void)request;
    (void)ret_counts;
    return -EOPNOTSUPP;
}
#endif
