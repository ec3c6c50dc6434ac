/* SPDX-License-Identifier: MIT */
/* What the sources share: the context of one collection and the interface of a collector. */
#pragma once

#include "base/map.h"
#include "model/request.h"
#include "model/snapshot.h"

/* One collection under way. */
struct collection {
    struct snapshot *snapshot;
    const struct request *request;
    int own_netns; /* descriptor of the namespace nwho runs in; -1 when it could not be opened */
    struct map by_cookie; /* cookie -> index of the socket, while sources are united */
    uint32_t protos_done; /* PROTO_BIT()s that some source has brought whole; a later (fallback)
                             source leaves them out */
    uint32_t protos_read; /* the same, of the collector that runs now: done when all namespaces are
                           */
    uint32_t protos_unused;   /* those that some namespace has no socket of */
    uint32_t protos_by_files; /* those of them that /proc/net brought */
    int failures[PROTO_MAX];  /* why sock_diag could not bring a protocol; 0 when it could */
    bool owners_done;         /* some source has searched every descriptor that we may see */
    uint32_t *suspects;       /* owned: process ids for NEED_SUSPECTS */
    uint32_t suspect_count, suspect_capacity;
    bool suspects_known; /* else each process is one */
    void *context;       /* of the collector that is running, for its netns_for_each() */
};

/*
 * A collector reads one source. `provides` are the needs it can serve; it runs when the request has
 * one of them. The collectors stand in one ordered array: a later one is the fallback of an earlier
 * one and leaves out what is done. Returns 0 also when the source failed (then it has left a note);
 * -ENOMEM is the only error that ends a collection.
 */
struct collector {
    const char *name;
    uint64_t provides; /* enum need */
    uint32_t source;   /* enum source_bit that switches it off; 0: always on */
    int (*collect)(struct collection *collection);
};

/* The protocols among `wanted` that the request asks for and no source has brought yet. */
static inline uint32_t collection_protos(const struct collection *collection, uint32_t wanted)
{
    return collection->request->protos & wanted & ~collection->protos_done;
}

/* The protocols that only files bring, which are read instead of this machine. */
static inline uint32_t collection_file_protos(const struct collection *collection)
{
    const struct request_files *files = collection->request->files;

    return files ? files->protos : 0;
}

/* /proc, or the tree that is read instead of it. */
static inline const char *collection_proc(const struct collection *collection)
{
    const struct request_files *files = collection->request->files;

    return files && files->proc ? files->proc : "/proc";
}

/* PROTO_BIT()s of the files in /proc/net that can be read. */
uint32_t proc_net_protos(void);

extern const struct collector collector_inet_diag;
extern const struct collector collector_unix_diag;
extern const struct collector collector_packet_diag;
extern const struct collector collector_netlink_diag;
extern const struct collector collector_vsock_diag;
extern const struct collector collector_proc_net;
extern const struct collector collector_sockets_bpf;
extern const struct collector collector_sockets_bpf_instead;
extern const struct collector collector_owners_bpf;
extern const struct collector collector_owners_proc;
extern const struct collector collector_fd_flags;
extern const struct collector collector_traffic;
extern const struct collector collector_processes;
extern const struct collector collector_traffic_end;
extern const struct collector collector_threads;
extern const struct collector collector_interfaces;
extern const struct collector collector_counters;
extern const struct collector collector_port_range;
extern const struct collector collector_settings;
extern const struct collector collector_packet_counts;
extern const struct collector collector_routes;
extern const struct collector collector_memberships;
extern const struct collector collector_addresses;
extern const struct collector collector_next_hops;
extern const struct collector collector_conntrack;
extern const struct collector collector_group_members;
extern const struct collector collector_cgroups;
extern const struct collector collector_users;

/* All of them in the order of reading: collectors.c, or lite/collectors.c. */
extern const struct collector *const collectors[];
extern const size_t collector_count;
