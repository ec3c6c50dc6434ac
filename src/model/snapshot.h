/* SPDX-License-Identifier: MIT */
/* Snapshot: the raw facts of one moment. Collectors write it, everything else only reads it. */
#pragma once

#include "base/cleanup.h"
#include "base/map.h"
#include "model/conntrack.h"
#include "model/counter.h"
#include "model/event.h"
#include "model/flow.h"
#include "model/interface.h"
#include "model/link_address.h"
#include "model/membership.h"
#include "model/netns.h"
#include "model/next_hop.h"
#include "model/packet_count.h"
#include "model/process.h"
#include "model/route.h"
#include "model/setting.h"
#include "model/socket.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum note_effect {
    NOTE_INFO,   /* which source was used, what it cannot see: nothing is missing because of it */
    NOTE_DETAIL, /* a column or a kind of socket is missing, and the reader is told which */
    NOTE_OWNERS, /* owners may be hidden (permission) */
    NOTE_INCOMPLETE, /* rows may be missing: exit code 3 */
};

/* The source of the note that says that the other ends of unix sockets are not known. */
#define NOTE_SOURCE_UNIX "sock_diag unix"

/* What a source could not do. */
struct note {
    uint32_t source; /* string: name of the collector or kernel interface */
    uint32_t text;   /* string: what is missing because of it, and what would help */
    int32_t error;   /* negative errno, or 0 */
    uint32_t effect; /* enum note_effect */
};

/* Which source brought a kind of fact; shown by --explain and in JSON. */
struct source_used {
    uint32_t fact;   /* string: "tcp", "owners", ... */
    uint32_t source; /* string: "bpf iter/task_file", "sock_diag x2", ... */
};

/* Strings are offsets into one pool, NUL-terminated, with their length in front; offset 0 is the
 * empty string. */
struct string_pool {
    char *bytes;
    uint32_t length;
    uint32_t capacity;
    struct map index; /* hash of content -> offset, so that equal strings are stored once */
};

#define SNAPSHOT_ARRAY(type, name)                                                                 \
    struct type *name;                                                                             \
    uint32_t name##_count, name##_capacity

/*
 * Every array is owned by the snapshot and freed by snapshot_done(); facts refer to each other by
 * index, so that a snapshot can be written to a file and read again as it is.
 */
struct snapshot {
    uint64_t time_ns;       /* CLOCK_REALTIME when collecting began */
    uint64_t boot_ns;       /* CLOCK_BOOTTIME at the same moment */
    uint32_t host;          /* string: host name */
    uint32_t clock_ticks;   /* per second, unit of process.start_ticks */
    uint32_t owners_known;  /* 1: descriptors were searched, so that a socket without a holder has
                               none that we may see */
    uint32_t pidns_is_init; /* 1: every process of the machine has a pid here */
    uint32_t signless;      /* connections that were seen and left out: request.signs */
    uint32_t counted;       /* sockets that are only counted: netns.counted */
    uint32_t busiest_route; /* at most so many TCP sockets have both addresses, the remote port and
                               the namespace in common; 0: not counted */
    uint32_t incomplete;    /* 1: rows may be missing; a note says why */
    uint32_t accounting;    /* enum accounting_level */
    uint32_t cgroup_v1;     /* 1: it is in use, also beside v2, whose ids flows and events have */
    uint64_t wire_ns;       /* CLOCK_BOOTTIME when counting of packets began; 0: it did not */
    uint64_t window_ns[FLOW_WINDOW_MAX]; /* how long each window is: at the beginning all are
                                            shorter than they are called; 0: nothing yet */
    struct string_pool strings;
    SNAPSHOT_ARRAY(socket, sockets);
    SNAPSHOT_ARRAY(tcp_details, tcp_infos);
    SNAPSHOT_ARRAY(socket_memory, memories);
    SNAPSHOT_ARRAY(upper_layer, upper_layers);
    SNAPSHOT_ARRAY(packet_details, packets);
    SNAPSHOT_ARRAY(unix_waiting, unix_waiting);
    SNAPSHOT_ARRAY(process, processes);
    SNAPSHOT_ARRAY(thread, threads);
    SNAPSHOT_ARRAY(holder, holders);
    SNAPSHOT_ARRAY(fd_flags, fd_flags);
    SNAPSHOT_ARRAY(netns, netns);
    SNAPSHOT_ARRAY(interface, interfaces);
    SNAPSHOT_ARRAY(counter, counters);
    SNAPSHOT_ARRAY(setting, settings);
    SNAPSHOT_ARRAY(flow, flows);
    SNAPSHOT_ARRAY(event, events);
    SNAPSHOT_ARRAY(route, routes);
    SNAPSHOT_ARRAY(link_address, link_addresses);
    SNAPSHOT_ARRAY(next_hop, next_hops);
    SNAPSHOT_ARRAY(conntrack, conntracks);
    SNAPSHOT_ARRAY(membership, memberships);
    SNAPSHOT_ARRAY(group_member, group_members);
    SNAPSHOT_ARRAY(packet_count, packet_sizes);
    SNAPSHOT_ARRAY(packet_count, packet_protocols);
    SNAPSHOT_ARRAY(cgroup, cgroups);
    SNAPSHOT_ARRAY(user, users);
    SNAPSHOT_ARRAY(note, notes);
    SNAPSHOT_ARRAY(source_used, sources);
    struct map process_index; /* pid -> index into processes */
    struct map cgroup_index;  /* id -> index into cgroups */
};

int snapshot_init(struct snapshot *snapshot) MUST_CHECK;
void snapshot_done(struct snapshot *snapshot);

/* Stores `length` bytes (they may contain NULs), equal ones once. 0 and the offset, or -ENOMEM. */
int snapshot_intern(struct snapshot *snapshot, const char *bytes, size_t length,
                    uint32_t *ret_string) MUST_CHECK;

/* The string at an offset and its length. Valid until the next snapshot_intern(). */
const char *snapshot_string(const struct snapshot *snapshot, uint32_t string, size_t *ret_length);

/* Whether sockets were read, if only to be counted. */
static inline bool snapshot_knows_sockets(const struct snapshot *snapshot)
{
    return snapshot->sockets_count || snapshot->counted;
}

/* What was read of a socket besides, or NULL. */
static inline const struct tcp_details *snapshot_tcp(const struct snapshot *snapshot,
                                                     const struct socket *socket)
{
    return socket->tcp ? &snapshot->tcp_infos[socket->tcp - 1] : NULL;
}

/* Payload sent since the connection began, without what was sent again; false when unknown. */
bool tcp_payload_sent(const struct tcp_details *tcp, uint64_t *ret_bytes);

/* Payload received since then, and one byte for the end (FIN) of the other side. */
bool tcp_payload_received(const struct tcp_details *tcp, uint64_t *ret_bytes);

static inline const struct socket_memory *snapshot_memory(const struct snapshot *snapshot,
                                                          const struct socket *socket)
{
    return socket->memory ? &snapshot->memories[socket->memory - 1] : NULL;
}

static inline const struct upper_layer *snapshot_upper(const struct snapshot *snapshot,
                                                       const struct tcp_details *tcp)
{
    return tcp && tcp->upper ? &snapshot->upper_layers[tcp->upper - 1] : NULL;
}

/* Of a packet socket, or NULL: not asked for. */
const struct packet_details *snapshot_packet(const struct snapshot *snapshot,
                                             const struct socket *socket);

/* The connections that wait at a unix listener. *ret_count is 0 when there are none. */
const struct unix_waiting *snapshot_waiting(const struct snapshot *snapshot,
                                            const struct socket *socket, uint32_t *ret_count);

/* Flags of open(2) of a descriptor, or NULL: not asked for, or closed meanwhile. */
const struct fd_flags *snapshot_fd_flags(const struct snapshot *snapshot,
                                         const struct holder *holder);

/* Copies a socket to a place before it, with what is kept beside; all of its kind move, or none. */
void snapshot_move_socket(struct snapshot *snapshot, uint32_t from, uint32_t to);

/* Each adds a zeroed element and returns it, or NULL when there is no memory. The pointer is valid
 * until the next one is added. */
struct socket *snapshot_add_socket(struct snapshot *snapshot);
struct tcp_details *snapshot_add_tcp(struct snapshot *snapshot, struct socket *socket);
struct socket_memory *snapshot_add_memory(struct snapshot *snapshot, struct socket *socket);
struct upper_layer *snapshot_add_upper(struct snapshot *snapshot, struct tcp_details *tcp);
struct packet_details *snapshot_add_packet(struct snapshot *snapshot, const struct socket *socket);
int snapshot_add_waiting(struct snapshot *snapshot, const struct socket *socket, uint32_t inode)
    MUST_CHECK;
struct counter *snapshot_add_counter(struct snapshot *snapshot);
struct setting *snapshot_add_setting(struct snapshot *snapshot);
struct flow *snapshot_add_flow(struct snapshot *snapshot);
int snapshot_reserve_flows(struct snapshot *snapshot, uint32_t count) MUST_CHECK; /* or -ENOMEM */
struct event *snapshot_add_event(struct snapshot *snapshot);
struct route *snapshot_add_route(struct snapshot *snapshot);
struct link_address *snapshot_add_link_address(struct snapshot *snapshot);
struct next_hop *snapshot_add_next_hop(struct snapshot *snapshot);
struct conntrack *snapshot_add_conntrack(struct snapshot *snapshot);
struct membership *snapshot_add_membership(struct snapshot *snapshot);
int snapshot_add_packet_size(struct snapshot *snapshot, struct packet_count count) MUST_CHECK;
int snapshot_add_packet_protocol(struct snapshot *snapshot, struct packet_count count) MUST_CHECK;
int snapshot_add_group_member(struct snapshot *snapshot, struct group_member member) MUST_CHECK;
int snapshot_add_holder(struct snapshot *snapshot, struct holder holder) MUST_CHECK;
int snapshot_add_fd_flags(struct snapshot *snapshot, struct fd_flags flags) MUST_CHECK;
int snapshot_add_thread(struct snapshot *snapshot, struct thread thread) MUST_CHECK;
int snapshot_add_interface(struct snapshot *snapshot, uint32_t netns, uint32_t ifindex,
                           const char *name) MUST_CHECK;
int snapshot_add_user(struct snapshot *snapshot, uint32_t uid, const char *name) MUST_CHECK;
int snapshot_add_cgroup(struct snapshot *snapshot, uint64_t id, const char *path) MUST_CHECK;

/* The process with this pid, added (with nothing but its pid known) when it is new. 0 and its
 * index, or -ENOMEM. */
int snapshot_add_process(struct snapshot *snapshot, uint32_t pid, uint32_t *ret_index) MUST_CHECK;

/* The namespace with this inode, added when it is new. 0 and its index, or -ENOMEM. */
int snapshot_add_netns(struct snapshot *snapshot, uint32_t inode, uint32_t *ret_index) MUST_CHECK;

/* What a namespace is called: its name, "init", or its inode. */
void snapshot_put_netns(const struct snapshot *snapshot, uint32_t netns, struct buf *out);

/* The interface of a namespace with this index, or NULL. */
const struct interface *snapshot_interface(const struct snapshot *snapshot, uint32_t netns,
                                           uint32_t ifindex);

/* The path of the cgroup with this id (a string), or 0: its name is not known. */
uint32_t snapshot_cgroup_path(const struct snapshot *snapshot, uint64_t id);

/* The same for what a process that may have ended is in. The root says nothing of one that may be
 * anywhere in cgroup v1. */
uint32_t snapshot_process_cgroup(const struct snapshot *snapshot, uint64_t id);

/* Leaves a note. Never fails: without memory for the text the note itself is dropped. */
void snapshot_note(struct snapshot *snapshot, enum note_effect effect, const char *source,
                   int error, const char *format, ...) PRINTF_LIKE(5, 6);

/* Says which source brought a fact (replaces what was said of the same fact). Never fails. */
void snapshot_source(struct snapshot *snapshot, const char *fact, const char *source);
