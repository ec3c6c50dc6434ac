/* SPDX-License-Identifier: MIT */
/* What packets add up to: conversations and processes. */
#include "derive/conversations.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"

#include <string.h>

struct entry {
    struct conversation told;
    uint32_t next; /* the next one of the same hash, MAP_NONE: there is none */
};

struct conversations {
    struct entry *entries;
    struct talking_process *processes; /* a conversation's numbers are indices of these */
    uint32_t entry_count, entry_capacity, process_count, process_capacity;
    struct map by_ends, by_pid;
    struct packet_rest rest;
    struct conversation *sorted; /* copies that were handed out */
    struct talking_process *sorted_processes;
};

int conversations_new(struct conversations **ret_conversations)
{
    *ret_conversations = calloc(1, sizeof(**ret_conversations));
    return *ret_conversations ? 0 : -ENOMEM;
}

void conversations_free(struct conversations *conversations)
{
    if (!conversations)
        return;
    free(conversations->entries);
    free(conversations->processes);
    free(conversations->sorted);
    free(conversations->sorted_processes);
    map_done(&conversations->by_ends);
    map_done(&conversations->by_pid);
    free(conversations);
}

/* --- adding --- */

static void add_to(struct packet_sum *sum, unsigned int side, uint64_t time_ns, uint32_t length)
{
    if (packet_sum_packets(sum) == 0 || time_ns < sum->first_ns)
        sum->first_ns = time_ns;
    if (time_ns > sum->last_ns)
        sum->last_ns = time_ns;
    sum->packets[side]++;
    sum->bytes[side] += length;
}

/* The same for both directions. */
static uint64_t hash_ends(const struct packet_ends *ends)
{
    uint64_t source = hash_bytes(hash_number(HASH_INIT, ends->source_port), ends->source, 16);
    uint64_t target = hash_bytes(hash_number(HASH_INIT, ends->target_port), ends->target, 16);

    return hash_number(hash_number(HASH_INIT, source + target),
                       (uint64_t)ends->family << 8 | ends->proto);
}

/* 0: in the direction of the first packet, 1: the other way; -1: it is another conversation. */
static int direction_in(const struct packet_ends *known, const struct packet_ends *ends)
{
    if (known->family != ends->family || known->proto != ends->proto)
        return -1;
    if (known->source_port == ends->source_port && known->target_port == ends->target_port &&
        memcmp(known->source, ends->source, 16) == 0 &&
        memcmp(known->target, ends->target, 16) == 0)
        return 0;
    if (known->source_port == ends->target_port && known->target_port == ends->source_port &&
        memcmp(known->source, ends->target, 16) == 0 &&
        memcmp(known->target, ends->source, 16) == 0)
        return 1;
    return -1;
}

/* Without what differs from packet to packet. */
static struct packet_ends plain_ends(const struct packet_ends *ends)
{
    struct packet_ends plain = {.family = ends->family,
                                .proto = ends->proto,
                                .source_port = ends->source_port,
                                .target_port = ends->target_port};

    memcpy(plain.source, ends->source, sizeof(plain.source));
    memcpy(plain.target, ends->target, sizeof(plain.target));
    return plain;
}

static int new_entry(struct conversations *all, const struct packet_ends *ends, uint64_t hash,
                     uint32_t next)
{
    if (VEC_RESERVE(&all->entries, &all->entry_capacity, all->entry_count, 1) < 0 ||
        map_set(&all->by_ends, hash, all->entry_count) < 0)
        return -ENOMEM;
    all->entries[all->entry_count++] = (struct entry){
        .told = {.ends = *ends, .processes = {CONVERSATION_NOBODY, CONVERSATION_NOBODY}},
        .next = next};
    return 0;
}

/* 1: `*ret_entry` and the direction in it; 0: there is no room for it. */
static int find_entry(struct conversations *all, const struct packet_ends *ends,
                      struct conversation **ret_entry, unsigned int *ret_direction)
{
    uint64_t hash = hash_ends(ends);
    uint32_t head = map_get(&all->by_ends, hash);
    int direction = -1;

    for (uint32_t at = head; at != MAP_NONE; at = all->entries[at].next) {
        direction = direction_in(&all->entries[at].told.ends, ends);
        if (direction >= 0) {
            *ret_entry = &all->entries[at].told;
            *ret_direction = (unsigned int)direction;
            return 1;
        }
    }
    if (all->entry_count == CONVERSATIONS_MAX)
        return 0;
    if (new_entry(all, ends, hash, head) < 0)
        return -ENOMEM;
    *ret_entry = &all->entries[all->entry_count - 1].told;
    *ret_direction = 0;
    return 1;
}

/* Its number, or CONVERSATION_NOBODY. A pid that has another name is another process. */
static int find_process(struct conversations *all, const struct conversation_process *process,
                        uint32_t *ret_number)
{
    uint64_t key;
    struct talking_process made = {0};

    *ret_number = CONVERSATION_NOBODY;
    if (!process || !process->pid)
        return 0;
    made.pid = process->pid;
    strncpy(made.name, process->name ? process->name : "", sizeof(made.name) - 1);
    key = hash_bytes(hash_number(HASH_INIT, made.pid), made.name, sizeof(made.name));
    *ret_number = map_get(&all->by_pid, key);
    if (*ret_number != MAP_NONE)
        return 0;
    if (VEC_RESERVE(&all->processes, &all->process_capacity, all->process_count, 1) < 0 ||
        map_set(&all->by_pid, key, all->process_count) < 0)
        return -ENOMEM;
    *ret_number = all->process_count;
    all->processes[all->process_count++] = made;
    return 0;
}

int conversations_add(struct conversations *all, const struct packet_ends *ends, uint64_t time_ns,
                      uint32_t length, const struct conversation_process *sender,
                      const struct conversation_process *receiver)
{
    const struct conversation_process *const processes[] = {sender, receiver};
    struct packet_ends plain = plain_ends(ends);
    struct conversation *conversation;
    unsigned int direction;
    uint32_t number;
    int r = ends->family ? find_entry(all, &plain, &conversation, &direction) : 0;

    if (r < 0)
        return r;
    if (r == 0) {
        all->rest.packets++;
        all->rest.bytes += length;
        return 0;
    }
    add_to(&conversation->sum, direction, time_ns, length);
    for (unsigned int end = 0; end < 2; end++) {
        r = find_process(all, processes[end], &number);
        if (r < 0)
            return r;
        if (number == CONVERSATION_NOBODY)
            continue;
        conversation->processes[end ^ direction] = number;
        add_to(&all->processes[number].sum, end, time_ns, length);
    }
    return 0;
}

/* --- what there is --- */

static int by_sum(const struct packet_sum *a, const struct packet_sum *b)
{
    uint64_t of_a = packet_sum_bytes(a), of_b = packet_sum_bytes(b);

    if (of_a != of_b)
        return of_a > of_b ? -1 : 1;
    return a->first_ns != b->first_ns ? (a->first_ns < b->first_ns ? -1 : 1) : 0;
}

static int compare_conversations(const void *a, const void *b)
{
    return by_sum(&((const struct conversation *)a)->sum, &((const struct conversation *)b)->sum);
}

static int compare_processes(const void *a, const void *b)
{
    return by_sum(&((const struct talking_process *)a)->sum,
                  &((const struct talking_process *)b)->sum);
}

const struct conversation *conversations_all(struct conversations *all, uint32_t *ret_count)
{
    struct conversation *sorted = calloc(all->entry_count + 1, sizeof(*sorted));

    free(all->sorted);
    all->sorted = sorted;
    *ret_count = sorted ? all->entry_count : 0;
    for (uint32_t i = 0; i < *ret_count; i++)
        sorted[i] = all->entries[i].told;
    if (sorted)
        qsort(sorted, *ret_count, sizeof(*sorted), compare_conversations);
    return sorted;
}

const struct talking_process *conversations_processes(struct conversations *all,
                                                      uint32_t *ret_count)
{
    struct talking_process *sorted = calloc(all->process_count + 1, sizeof(*sorted));

    free(all->sorted_processes);
    all->sorted_processes = sorted;
    *ret_count = sorted ? all->process_count : 0;
    if (*ret_count) {
        memcpy(sorted, all->processes, *ret_count * sizeof(*sorted));
        qsort(sorted, *ret_count, sizeof(*sorted), compare_processes);
    }
    return sorted;
}

const struct talking_process *conversations_process(const struct conversations *all,
                                                    uint32_t number)
{
    return number == CONVERSATION_NOBODY ? NULL : &all->processes[number];
}

const struct packet_rest *conversations_rest(const struct conversations *all)
{
    return &all->rest;
}
