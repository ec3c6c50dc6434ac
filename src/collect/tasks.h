/* SPDX-License-Identifier: MIT */
/* The processes of the machine, by one walk (BPF): their namespaces, and who is suspect. */
#pragma once

#include "bpf/record.h"
#include "collect/netns_scan.h"
#include "collect/source.h"

#if HAVE_BPF

/*
 * Calls `fn` for each process, as netns_scan_processes() does, and adds the suspects of the request
 * to the collection. 0, -ENOMEM, what `fn` returned, or -EOPNOTSUPP before anything of that: it
 * does not suit, or is not possible here.
 */
int tasks_read(struct collection *collection, netns_sighting_fn *fn, void *context) MUST_CHECK;

/* Whether the request wants to know more of this process, of whose program it is known whether it
 * has a name still. May be too much. */
bool task_is_suspect(const struct request *request, const struct record_task *task, bool nameless);

#else

static inline int tasks_read(struct collection *collection, netns_sighting_fn *fn, void *context)
{
    (void)collection;
    (void)fn;
    (void)context;
    return -EOPNOTSUPP;
}

#endif
