/* SPDX-License-Identifier: MIT */
/* Dictionaries: what rows are about. Each thing has a small number, given when it is first
 * written; those used lately are in memory. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "model/snapshot.h"

struct store;

enum dictionary_id {
    DICTIONARY_NETNS,
    DICTIONARY_PROCESS,
    DICTIONARY_ENDPOINT,
    DICTIONARY_INTERFACE,
    DICTIONARY_COUNTER,
    DICTIONARY_MAX,
};

struct dictionary {
    struct map index; /* hash of the content -> entry */
    struct arena bytes;
    struct dictionary_entry *entries;
    uint32_t count, capacity;
};

struct dictionaries {
    struct dictionary dictionaries[DICTIONARY_MAX];
    struct map instances; /* pid and start of a process -> its id: it keeps it when it has ended */
    struct buf key;       /* of what is looked for */
};

void dictionaries_done(struct dictionaries *names);

/* Whether the flows of an identity are of a process. In files. */
enum process_kind {
    PROCESS_KNOWN,
    PROCESS_NONE,  /* the kernel's, or nobody knows whose */
    PROCESS_OTHER, /* what had no room in the kernel's tables: FLOW_OTHER */
};

enum endpoint_direction {
    ENDPOINT_UNKNOWN,
    ENDPOINT_OUT,
    ENDPOINT_IN,
    ENDPOINT_LISTEN,
};

/* The other side of a flow, and the port that serves; or where somebody listens. Without padding:
 * compared as bytes. */
struct endpoint {
    union address address;
    char interface[16];
    uint16_t port;
    uint8_t proto, family, direction;
    uint8_t zero[3];
};

/* There are many in a tick. */
static inline uint64_t endpoint_hash(const struct endpoint *endpoint)
{
    return hash_words(HASH_INIT, endpoint, sizeof(*endpoint));
}

/* Each gives the id of a thing of the snapshot, and writes it when it is new. 0 or -errno. */
int dictionary_netns(struct store *store, const struct snapshot *snapshot, uint32_t netns,
                     uint32_t *ret_id) MUST_CHECK;
int dictionary_process_of_flow(struct store *store, const struct snapshot *snapshot,
                               const struct flow *flow, uint32_t *ret_id) MUST_CHECK;
int dictionary_process(struct store *store, const struct snapshot *snapshot,
                       const struct process *process, uint32_t netns, uint32_t *ret_id) MUST_CHECK;
int dictionary_process_of_event(struct store *store, const struct snapshot *snapshot,
                                const struct event *event, uint32_t *ret_id) MUST_CHECK;
int dictionary_endpoint(struct store *store, const struct endpoint *endpoint, uint32_t *ret_id)
    MUST_CHECK;
int dictionary_interface(struct store *store, const struct snapshot *snapshot,
                         const struct interface *interface, uint32_t *ret_id) MUST_CHECK;
int dictionary_counter(struct store *store, const struct snapshot *snapshot,
                       const struct counter *counter, uint32_t *ret_id) MUST_CHECK;
