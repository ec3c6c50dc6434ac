/* SPDX-License-Identifier: MIT */
/* Held counts, of records that have an owner and a state, and no more. */
#include "collect/held_counts.h"

#include "base/vec.h"
#include "collect/bpf_pass.h"

#include <stdlib.h>

struct counting {
    struct bpf_pass pass; /* first: a walk gives its address */
    struct map seen;      /* inodes of sockets */
    struct held_counts counts;
    uint32_t tgid;  /* whose records come now: those of a process follow each other */
    uint32_t first; /* of its counts */
};

static void counting_done(struct counting *counting)
{
    bpf_pass_done(&counting->pass);
    map_done(&counting->seen);
    free(counting->counts.items);
}

/* -EEXIST: it was there before. */
static int see(struct map *seen, uint32_t inode)
{
    if (map_get(seen, inode) != MAP_NONE)
        return -EEXIST;
    return map_set(seen, inode, 1);
}

static int begin_process(struct counting *counting, const struct record_owner *owner,
                         uint32_t *ret_process)
{
    struct held_counts *counts = &counting->counts;

    if (owner->tgid != counting->tgid || counting->first == counts->count) {
        counting->tgid = owner->tgid;
        counting->first = counts->count;
        return bpf_pass_add_process(counting->pass.collection->snapshot, owner, ret_process);
    }
    *ret_process = counts->items[counting->first].process;
    return 0;
}

static int add(struct counting *counting, const struct record_head *head, uint32_t process)
{
    struct held_counts *counts = &counting->counts;
    uint32_t at = counting->first;

    while (at < counts->count &&
           (counts->items[at].proto != head->proto || counts->items[at].state != head->state))
        at++;
    if (at < counts->count) {
        counts->items[at].count++;
        return 0;
    }
    if (VEC_RESERVE(&counts->items, &counts->capacity, counts->count, 1) < 0)
        return -ENOMEM;
    counts->items[counts->count++] = (struct held_count){
        .process = process, .count = 1, .proto = head->proto, .state = head->state};
    return 0;
}

static int take(void *context, const struct record *record)
{
    struct counting *counting = context;
    uint32_t process;
    int r;

    if (!record->owner || record->head->state >= STATE_MAX)
        return 0;
    r = see(&counting->seen, record->head->inode);
    if (r < 0)
        return r == -EEXIST ? 0 : r;
    r = begin_process(counting, record->owner, &process);
    return r < 0 ? r : add(counting, record->head, process);
}

int held_counts_read(struct snapshot *snapshot, const struct request *request,
                     struct held_counts *ret_counts)
{
    CLEANUP(iterator_close) struct iterator iterator = ITERATOR_INIT;
    CLEANUP(counting_done) struct counting counting = {0};
    struct collection collection = {.snapshot = snapshot, .request = request, .own_netns = -1};
    int r;

    bpf_pass_init(&counting.pass, &collection);
    r = bpf_pass_open_descriptors(&counting.pass, PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
                                  &iterator);
    if (r == 0)
        r = bpf_pass_walk_descriptors(&counting.pass, &iterator, take);
    if (r < 0)
        return r;
    *ret_counts = counting.counts;
    counting.counts = (struct held_counts){0};
    return 0;
}
