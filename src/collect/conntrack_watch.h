/* SPDX-License-Identifier: MIT */
/* Following the table of tracked connections: whose the ends of an entry are, and were. */
#pragma once

#include "base/map.h"
#include "collect/packet_owners.h"
#include "model/snapshot.h"

enum conntrack_role { CONNTRACK_CLIENT, CONNTRACK_SERVER, CONNTRACK_ROLE_MAX };

/* A namespace whose table is listened to. */
struct post {
    int fd;
    uint32_t netns; /* inode */
    uint32_t place; /* of packet_owners */
    bool there;     /* it was seen by the last look */
};

struct known_end {
    struct packet_end end;
    uint32_t netns; /* inode: where its socket is; 0: nowhere */
    bool looked;
};

/* An entry, whose events tell its number. */
struct known_entry {
    uint64_t start_ns; /* CLOCK_BOOTTIME when it was new; 0: it was there before */
    uint32_t netns;    /* inode */
    uint32_t id;
    struct known_end ends[CONNTRACK_ROLE_MAX];
};

struct home {
    uint8_t family, bytes[16]; /* an address */
    uint32_t netns;            /* inode of a namespace that has it */
    uint32_t next;             /* with the same hash; MAP_NONE */
};

/* What was heard besides the entry, which is in the snapshot at the same index. */
struct heard {
    uint64_t time_ns; /* CLOCK_REALTIME when it happened; 0: the kernel did not tell */
    uint32_t netns;   /* inode */
    uint8_t kind;     /* enum tracked_kind */
    bool by_program;
};

struct watch {
    struct event_source *source;
    struct packet_owners *owners;
    int epoll;
    struct post *posts;
    uint32_t post_count, post_capacity;
    struct known_entry *known;
    uint32_t known_count, known_capacity;
    uint32_t *unused; /* indexes into known */
    uint32_t unused_count, unused_capacity;
    struct map by_id; /* hash -> index into known */
    struct home *homes;
    uint32_t home_count, home_capacity;
    struct map by_address; /* hash -> index into homes */
    struct heard *heard;
    uint32_t heard_count, heard_capacity;
    uint64_t read_ns; /* CLOCK_BOOTTIME of the reading before */
    uint64_t lost;
    int error; /* why the last post could not be opened */
};

/* What is known of an entry, added when it is new; NULL without memory. Valid until the next call.
 */
struct known_entry *conntrack_know(struct watch *watch, uint32_t netns, uint32_t id);

/* It is over. 0 or -ENOMEM. */
int conntrack_forget(struct watch *watch, uint32_t netns, uint32_t id) MUST_CHECK;

/* Which namespaces have which addresses. 0 or -ENOMEM. */
int conntrack_take_addresses(struct watch *watch, const struct snapshot *snapshot) MUST_CHECK;

/* Looks for the ends that are not known, or not for sure. */
void conntrack_find_ends(struct watch *watch, const struct conntrack *entry,
                         const struct heard *heard, struct known_entry *known);
