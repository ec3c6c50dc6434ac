/* SPDX-License-Identifier: MIT */
/* Flow entries: an array, and two maps into it. */
#include "collect/flow_entries.h"

#include "base/hash.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

void flow_entries_done(struct flow_entries *entries)
{
    map_done(&entries->by_key);
    map_done(&entries->by_cookie);
    free(entries->all);
    free(entries->histories);
}

void flow_entries_clear(struct flow_entries *entries)
{
    entries->count = 0;
    map_clear(&entries->by_key);
    map_clear(&entries->by_cookie);
}

static struct flow_entry *entry_at(const struct flow_entries *entries, uint32_t index)
{
    return index == MAP_NONE ? NULL : &entries->all[index];
}

/* --- finding --- */

/* Without a socket and a process a flow is all that had this name, user and place. */
static bool is_same_sum(const struct flow_report *a, const struct flow_report *b)
{
    return a->uid == b->uid && a->cgroup_id == b->cgroup_id && a->netns == b->netns &&
           !memcmp(a->comm, b->comm, sizeof(a->comm));
}

static bool is_same(const struct flow_report *a, const struct flow_report *b)
{
    if (a->cookie != b->cookie || a->pid != b->pid || a->tid != b->tid ||
        a->start_ticks != b->start_ticks || (a->flags ^ b->flags) & (FLOW_OTHER | FLOW_PEER))
        return false;
    if (a->flags & FLOW_PEER &&
        (a->peer_port != b->peer_port || memcmp(&a->peer, &b->peer, sizeof(a->peer)) != 0))
        return false;
    if (a->cookie && a->netns != b->netns) /* a socket of the kernel itself */
        return false;
    return a->cookie || a->pid || is_same_sum(a, b);
}

static uint64_t hash_of(const struct flow_report *facts)
{
    uint64_t hash = facts->cookie * UINT64_C(0x9e3779b97f4a7c15);

    hash ^= ((uint64_t)facts->pid << 32 | facts->tid) * UINT64_C(0xc2b2ae3d27d4eb4f);
    if (!facts->cookie && !facts->pid)
        hash = hash_bytes(hash ^ facts->cgroup_id ^ (uint64_t)facts->netns << 32, facts->comm,
                          sizeof(facts->comm));
    if (facts->flags & FLOW_PEER)
        hash = hash_bytes(hash ^ facts->peer_port, &facts->peer, sizeof(facts->peer));
    return hash;
}

/* The index of the entry, or MAP_NONE and the key that is free for it. */
static uint32_t find(const struct flow_entries *entries, const struct flow_report *facts,
                     uint64_t *ret_key)
{
    uint64_t key = hash_of(facts);
    uint32_t index;

    while ((index = map_get(&entries->by_key, key)) != MAP_NONE &&
           !is_same(&entries->all[index].facts, facts))
        key++;
    *ret_key = key;
    return index;
}

struct flow_entry *flow_entries_find(const struct flow_entries *entries,
                                     const struct flow_report *report)
{
    uint64_t key;

    return entry_at(entries, find(entries, report, &key));
}

struct flow_entry *flow_entries_by_id(const struct flow_entries *entries, uint64_t id)
{
    uint32_t low = 0, high = entries->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (entries->all[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < entries->count && entries->all[low].id == id ? &entries->all[low] : NULL;
}

struct flow_entry *flow_entries_of_socket(const struct flow_entries *entries, uint64_t cookie)
{
    return entry_at(entries, map_get(&entries->by_cookie, cookie));
}

struct flow_entry *flow_entries_next(const struct flow_entries *entries,
                                     const struct flow_entry *entry)
{
    return entry_at(entries, entry->next);
}

/* --- adding and removing --- */

void flow_entry_clear_report(struct flow_entry *entry)
{
    entry->facts.bytes = (struct traffic){0};
    entry->facts.wire = (struct wire){0};
    entry->facts.rx_calls = entry->facts.tx_calls = 0;
}

/* Makes an entry findable. Neither map needs to grow any more. */
static int file_entry(struct flow_entries *entries, uint32_t index, uint64_t key)
{
    struct flow_entry *entry = &entries->all[index];
    int r = map_set(&entries->by_key, key, index);

    entry->next = MAP_NONE;
    if (r < 0 || !entry->facts.cookie)
        return r;
    entry->next = map_get(&entries->by_cookie, entry->facts.cookie);
    return map_set(&entries->by_cookie, entry->facts.cookie, index);
}

struct flow_history *flow_entries_history(const struct flow_entries *entries,
                                          const struct flow_entry *entry)
{
    return entries->no_history ? NULL : &entries->histories[entry - entries->all];
}

static int begin_history(struct flow_entries *entries, uint32_t index)
{
    int r = VEC_RESERVE(&entries->histories, &entries->histories_capacity, index, 1);

    if (r == 0)
        entries->histories[index] = (struct flow_history){0};
    return r;
}

static int add(struct flow_entries *entries, const struct flow_report *report, uint64_t now_ns,
               uint64_t key)
{
    uint32_t index = entries->count;
    int r = VEC_RESERVE(&entries->all, &entries->capacity, index, 1);

    if (r == 0 && !entries->no_history)
        r = begin_history(entries, index);
    if (r == 0)
        r = map_reserve(&entries->by_key, index + 1);
    if (r == 0)
        r = map_reserve(&entries->by_cookie, index + 1);
    if (r < 0)
        return r;
    entries->all[index] = (struct flow_entry){.facts = *report,
                                              .id = ++entries->last_id,
                                              .first_ns = now_ns,
                                              .sockets = report->cookie != 0};
    flow_entry_clear_report(&entries->all[index]);
    entries->count++;
    return file_entry(entries, index, key);
}

int flow_entries_take(struct flow_entries *entries, const struct flow_report *report,
                      uint64_t now_ns, struct flow_entry **ret_entry)
{
    uint64_t key;
    uint32_t index = find(entries, report, &key);
    int r = 0;

    if (index == MAP_NONE) {
        index = entries->count;
        r = add(entries, report, now_ns, key);
    }
    if (r == 0)
        *ret_entry = &entries->all[index];
    return r;
}

int flow_entries_sweep(struct flow_entries *entries)
{
    uint32_t kept = 0;
    uint64_t key;
    int r = 0;

    for (uint32_t i = 0; i < entries->count; i++) {
        if (!entries->all[i].id)
            continue;
        if (!entries->no_history)
            entries->histories[kept] = entries->histories[i];
        entries->all[kept++] = entries->all[i];
    }
    flow_entries_clear(entries);
    entries->count = kept;
    for (uint32_t i = 0; i < kept && r == 0; i++) {
        find(entries, &entries->all[i].facts, &key);
        r = file_entry(entries, i, key);
    }
    return r;
}
