/* SPDX-License-Identifier: MIT */
/* Known: what the ids of the dictionaries stand for, as things of a snapshot. */
#pragma once

#include "store/sql.h"

/* What an answer has already: id -> index, of each dictionary. */
struct known {
    struct store *store;
    struct snapshot *snapshot;
    uint32_t own_netns; /* id; 0: the initial one */
    uint32_t broken;    /* ids whose names could not be read: they have none */
    struct map ids[DICTIONARY_MAX];
    struct known_process {
        uint32_t process; /* 1 + index; 0: it is none */
        uint32_t netns;
        unsigned int kind; /* enum process_kind */
    } * processes;
    uint32_t process_count, process_capacity;
    struct known_endpoint {
        union address address;
        uint32_t interface; /* string */
        uint16_t port;
        uint8_t proto, family, direction;
    } * endpoints;
    uint32_t endpoint_count, endpoint_capacity;
};

void known_done(struct known *known);

/* Each adds the thing to the snapshot when it is new there. 0 and its index (of a process or an
 * endpoint: into the arrays here), or -errno. */
int known_netns(struct known *known, uint64_t id, uint32_t *ret_netns) MUST_CHECK;
int known_process(struct known *known, uint64_t id, uint32_t *ret_process) MUST_CHECK;
int known_interface(struct known *known, uint64_t id, uint32_t *ret_interface) MUST_CHECK;
int known_counter(struct known *known, uint64_t id, uint32_t *ret_counter) MUST_CHECK;
int known_endpoint(struct known *known, uint64_t id, uint32_t *ret_endpoint) MUST_CHECK;

/* The index in its namespace of the interface with this name (a string of the snapshot). */
int known_ifindex(struct known *known, uint32_t netns, uint32_t name, uint32_t *ret_ifindex)
    MUST_CHECK;
