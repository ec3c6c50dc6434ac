/* SPDX-License-Identifier: MIT */
/* What was told of flows, of sockets and of the processes that use them. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "bpf/packet_owner_record.h"
#include "model/packet_flow.h"
#include "model/packet_owner.h"

/* How many processes of one socket are remembered, the last ones. */
#define PACKET_USES_MAX 4

struct packet_use {
    uint64_t since_ns; /* CLOCK_BOOTTIME: packets from then on are of this process */
    const struct packet_process *process; /* NULL: unknown */
    uint8_t from;                         /* enum event_owner_from */
    bool is_kernel;
};

/* Who used a socket, one after the other. */
struct packet_uses {
    uint64_t cookie;
    uint64_t closed_ns; /* CLOCK_BOOTTIME; 0: not yet */
    uint32_t count;
    struct packet_use uses[PACKET_USES_MAX]; /* the last one is the newest */
};

struct packet_flow_key {
    uint32_t netns; /* inode */
    uint16_t local_port, peer_port;
    uint8_t family, proto, reserved[2];
    uint8_t local[16], peer[16];
};

struct packet_flow_entry {
    struct packet_flow_key key;
    uint64_t cookie;   /* of the socket; 0: unknown */
    uint64_t listener; /* the same of what took the request for the connection */
    uint32_t next;     /* with the same hash; MAP_NONE: none */
};

struct packet_sockets {
    struct packet_flow_entry *flows;
    uint32_t flow_count, flow_capacity;
    struct packet_uses *uses;
    uint32_t uses_count, uses_capacity;
    struct map by_ends;    /* hash -> index into flows */
    struct map by_cookie;  /* -> index into uses */
    struct map by_process; /* hash -> index into processes */
    const struct packet_process **processes;
    uint32_t process_count, process_capacity;
    struct arena arena; /* of processes */
};

void packet_sockets_done(struct packet_sockets *sockets);

/* 0 or -ENOMEM. */
int packet_sockets_take(struct packet_sockets *sockets, const struct packet_owner_record *record)
    MUST_CHECK;

/* A flow that is older than what tells of them; one that was told stays as it is. 0 or -ENOMEM. */
int packet_sockets_learn(struct packet_sockets *sockets, const struct packet_flow_key *key,
                         uint64_t cookie) MUST_CHECK;

/* NULL: it was not told. */
const struct packet_flow_entry *packet_sockets_flow(const struct packet_sockets *sockets,
                                                    const struct packet_flow_key *key);
const struct packet_uses *packet_sockets_uses(const struct packet_sockets *sockets,
                                              uint64_t cookie);

/* Who used it at that time (CLOCK_BOOTTIME). NULL: unknown. */
const struct packet_use *packet_uses_at(const struct packet_uses *uses, uint64_t time_ns);
