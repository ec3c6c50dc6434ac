/* SPDX-License-Identifier: MIT */
/* What was told of flows, of sockets and of the processes that use them. */
#include "collect/packet_sockets.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"

#include <string.h>

/* When there are more, the older half is forgotten; what is asked for later is found anew. */
#define FLOWS_MAX (1u << 18)

/* What a call sends may pass by shortly after it: the end of a handshake, above all. */
#define AFTERMATH_NS MILLISECOND_NS

void packet_sockets_done(struct packet_sockets *sockets)
{
    free(sockets->flows);
    free(sockets->uses);
    free(sockets->processes);
    map_done(&sockets->by_ends);
    map_done(&sockets->by_cookie);
    map_done(&sockets->by_process);
    arena_done(&sockets->arena);
}

/* --- processes --- */

static uint64_t hash_owner(const struct event_owner *owner)
{
    return hash_bytes(hash_number(HASH_INIT, owner->pid), owner, sizeof(*owner));
}

static bool is_process(const struct packet_process *process, const struct event_owner *owner)
{
    return process->pid == owner->pid && process->ppid == owner->ppid &&
           process->uid == owner->euid && process->cgroup_id == owner->cgroup_id &&
           memcmp(process->comm, owner->comm, sizeof(process->comm)) == 0 &&
           memcmp(process->parent, owner->parent, sizeof(process->parent)) == 0;
}

/* NULL without memory. */
static const struct packet_process *add_process(struct packet_sockets *sockets, uint64_t hash,
                                                const struct event_owner *owner)
{
    struct packet_process *process = arena_alloc(&sockets->arena, sizeof(*process));

    if (!process ||
        VEC_RESERVE(&sockets->processes, &sockets->process_capacity, sockets->process_count, 1) < 0)
        return NULL;
    *process = (struct packet_process){
        .pid = owner->pid, .ppid = owner->ppid, .uid = owner->euid, .cgroup_id = owner->cgroup_id};
    memcpy(process->comm, owner->comm, sizeof(process->comm));
    memcpy(process->parent, owner->parent, sizeof(process->parent));
    if (map_set(&sockets->by_process, hash, sockets->process_count) < 0)
        return NULL;
    sockets->processes[sockets->process_count++] = process;
    return process;
}

static int find_process(struct packet_sockets *sockets, const struct event_owner *owner,
                        const struct packet_process **ret_process)
{
    uint64_t hash = hash_owner(owner);
    uint32_t index = map_get(&sockets->by_process, hash);

    if (!owner->pid) {
        *ret_process = NULL;
        return 0;
    }
    if (index != MAP_NONE && is_process(sockets->processes[index], owner)) {
        *ret_process = sockets->processes[index];
        return 0;
    }
    *ret_process = add_process(sockets, hash, owner);
    return *ret_process ? 0 : -ENOMEM;
}

/* --- sockets --- */

static int uses_of(struct packet_sockets *sockets, uint64_t cookie, struct packet_uses **ret_uses)
{
    uint32_t index = map_get(&sockets->by_cookie, cookie);

    if (index == MAP_NONE) {
        if (VEC_RESERVE(&sockets->uses, &sockets->uses_capacity, sockets->uses_count, 1) < 0 ||
            map_set(&sockets->by_cookie, cookie, sockets->uses_count) < 0)
            return -ENOMEM;
        index = sockets->uses_count++;
        sockets->uses[index] = (struct packet_uses){.cookie = cookie};
    }
    *ret_uses = &sockets->uses[index];
    return 0;
}

/* Who only held the socket, or the listener, gives way to who uses it, also in retrospect. */
static void add_use(struct packet_uses *uses, struct packet_use use)
{
    struct packet_use *last = uses->count ? &uses->uses[uses->count - 1] : NULL;

    if (last && last->process == use.process && last->from == use.from)
        return;
    if (last && last->from != EVENT_OWNER_USE) {
        use.since_ns = last->since_ns;
        *last = use;
        return;
    }
    if (last && use.from < last->from)
        return;
    if (uses->count == PACKET_USES_MAX) {
        memmove(uses->uses, uses->uses + 1, (PACKET_USES_MAX - 1) * sizeof(*uses->uses));
        uses->count--;
    }
    uses->uses[uses->count++] = use;
}

/* What a flow comes with is the present; how it came about was told before. */
static int take_use(struct packet_sockets *sockets, const struct packet_owner_record *record)
{
    struct packet_use use = {.since_ns = record->since_ns ? record->since_ns + AFTERMATH_NS : 0,
                             .from = record->from,
                             .is_kernel = record->flags & PACKET_OWNER_KERNEL};
    struct packet_uses *uses;
    int r = uses_of(sockets, record->cookie, &uses);

    if (r == 0)
        r = find_process(sockets, &record->owner, &use.process);
    if (r == 0 && (use.process || use.is_kernel) &&
        (record->kind == PACKET_RECORD_OWNER || !uses->count))
        add_use(uses, use);
    return r;
}

static int take_closed(struct packet_sockets *sockets, const struct packet_owner_record *record)
{
    uint32_t index = map_get(&sockets->by_cookie, record->cookie);

    if (index != MAP_NONE)
        sockets->uses[index].closed_ns = record->since_ns;
    return 0;
}

const struct packet_uses *packet_sockets_uses(const struct packet_sockets *sockets, uint64_t cookie)
{
    uint32_t index = map_get(&sockets->by_cookie, cookie);

    return index == MAP_NONE ? NULL : &sockets->uses[index];
}

const struct packet_use *packet_uses_at(const struct packet_uses *uses, uint64_t time_ns)
{
    for (uint32_t i = uses->count; i > 1; i--)
        if (uses->uses[i - 1].since_ns <= time_ns)
            return &uses->uses[i - 1];
    return uses->count ? &uses->uses[0] : NULL;
}

/* --- flows --- */

static uint64_t hash_key(const struct packet_flow_key *key)
{
    uint32_t words[sizeof(*key) / sizeof(uint32_t)];
    uint64_t hash = HASH_INIT;

    memcpy(words, key, sizeof(words));
    for (uint32_t i = 0; i < ARRAY_SIZE(words); i++)
        hash = hash_number(hash, words[i]);
    return hash;
}

static uint32_t find_flow(const struct packet_sockets *sockets, const struct packet_flow_key *key,
                          uint64_t hash)
{
    uint32_t index = map_get(&sockets->by_ends, hash);

    while (index != MAP_NONE && memcmp(&sockets->flows[index].key, key, sizeof(*key)) != 0)
        index = sockets->flows[index].next;
    return index;
}

static int link_flow(struct packet_sockets *sockets, uint32_t index)
{
    uint64_t hash = hash_key(&sockets->flows[index].key);

    sockets->flows[index].next = map_get(&sockets->by_ends, hash);
    return map_set(&sockets->by_ends, hash, index);
}

/* The older half goes, with the sockets that only it had. */
static int forget(struct packet_sockets *sockets)
{
    struct packet_uses *old = sockets->uses;
    uint32_t gone = sockets->flow_count / 2;
    struct map by_cookie = sockets->by_cookie;
    int r = 0;

    sockets->flow_count -= gone;
    memmove(sockets->flows, sockets->flows + gone, sockets->flow_count * sizeof(*sockets->flows));
    map_clear(&sockets->by_ends);
    sockets->uses = NULL;
    sockets->uses_count = sockets->uses_capacity = 0;
    sockets->by_cookie = (struct map){.slots = NULL};
    for (uint32_t i = 0; i < sockets->flow_count && r == 0; i++) {
        const uint64_t cookies[] = {sockets->flows[i].cookie, sockets->flows[i].listener};

        r = link_flow(sockets, i);
        for (uint32_t j = 0; j < ARRAY_SIZE(cookies) && r == 0; j++) {
            uint32_t from = cookies[j] ? map_get(&by_cookie, cookies[j]) : MAP_NONE;
            struct packet_uses *uses;

            r = from == MAP_NONE ? 0 : uses_of(sockets, cookies[j], &uses);
            if (r == 0 && from != MAP_NONE)
                *uses = old[from];
        }
    }
    map_done(&by_cookie);
    free(old);
    return r;
}

static int add_flow(struct packet_sockets *sockets, const struct packet_flow_key *key,
                    struct packet_flow_entry **ret_flow)
{
    uint32_t index = find_flow(sockets, key, hash_key(key));
    int r = 0;

    if (index == MAP_NONE) {
        if (sockets->flow_count == FLOWS_MAX)
            r = forget(sockets);
        if (r == 0)
            r = VEC_RESERVE(&sockets->flows, &sockets->flow_capacity, sockets->flow_count, 1);
        if (r < 0)
            return r;
        index = sockets->flow_count++;
        sockets->flows[index] = (struct packet_flow_entry){.key = *key};
        r = link_flow(sockets, index);
    }
    *ret_flow = &sockets->flows[index];
    return r;
}

static int take_flow(struct packet_sockets *sockets, const struct packet_owner_record *record)
{
    struct packet_flow_key key = {.netns = record->netns,
                                  .local_port = record->local_port,
                                  .peer_port = record->peer_port,
                                  .family = record->family,
                                  .proto = record->proto};
    struct packet_flow_entry *flow;
    int r;

    memcpy(key.local, record->local, sizeof(key.local));
    memcpy(key.peer, record->peer, sizeof(key.peer));
    r = add_flow(sockets, &key, &flow);
    if (r < 0)
        return r;
    if (record->flags & PACKET_OWNER_LISTENS) {
        flow->listener = record->cookie;
        flow->cookie = 0;
    } else {
        flow->cookie = record->cookie;
    }
    return take_use(sockets, record);
}

const struct packet_flow_entry *packet_sockets_flow(const struct packet_sockets *sockets,
                                                    const struct packet_flow_key *key)
{
    uint32_t index = find_flow(sockets, key, hash_key(key));

    return index == MAP_NONE ? NULL : &sockets->flows[index];
}

int packet_sockets_learn(struct packet_sockets *sockets, const struct packet_flow_key *key,
                         uint64_t cookie)
{
    struct packet_flow_entry *flow;
    int r = add_flow(sockets, key, &flow);

    if (r == 0 && !flow->cookie && !flow->listener)
        flow->cookie = cookie;
    return r;
}

int packet_sockets_take(struct packet_sockets *sockets, const struct packet_owner_record *record)
{
    switch (record->kind) {
    case PACKET_RECORD_FLOW:
        return take_flow(sockets, record);
    case PACKET_RECORD_OWNER:
        return take_use(sockets, record);
    default:
        return take_closed(sockets, record);
    }
}
