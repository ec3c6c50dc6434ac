/* SPDX-License-Identifier: MIT */
/* What the sources of events share. */
#pragma once

#include "base/map.h"
#include "collect/events.h"

struct event_backend {
    const char *name; /* as a source of facts */
    uint32_t source;  /* enum source_bit that switches it off */
    int (*open)(struct event_source *source);
    int (*read)(struct event_source *source, struct snapshot *snapshot, uint32_t limit,
                bool *ret_more);
    uint64_t (*lost)(const struct event_source *source);
    void (*close)(struct event_source *source); /* of what open() began, too */
};

struct event_source {
    const struct event_backend *backend; /* NULL: none is open */
    void *context;                       /* of the backend */
    const struct request *request;       /* borrowed */
    bool retransmits;
    int fd;                 /* to wait for; the backend's */
    uint64_t next_ns;       /* CLOCK_MONOTONIC when it is to be read at the latest; 0: never */
    struct snapshot known;  /* namespaces with their names, and notes */
    struct map netns_index; /* inode -> index into known.netns */
    uint64_t known_ns;      /* CLOCK_MONOTONIC when that was read */
};

extern const struct event_backend event_backend_bpf, event_backend_diag, event_backend_conntrack;

uint64_t event_now_ns(void);

/* The only namespace of interest, by its inode; 0: several. */
uint32_t event_source_single_netns(const struct event_source *source);

/* A namespace as a row of the snapshot. 0, -ENOENT: nobody asked for it, or -ENOMEM. */
int event_source_netns(struct event_source *source, struct snapshot *snapshot, uint32_t inode,
                       uint32_t *ret_netns) MUST_CHECK;

/* Verdict and ended_by of a closed connection, from its error, the state before, and whether
 * close(2) or exit ended it at that moment. Pure. */
void event_judge(struct event *event, unsigned int old_state, bool closing);
