/* SPDX-License-Identifier: MIT */
/* Where sequence numbers of TCP connections begin. */
#include "packet/tcp_flows.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"

#include <string.h>

/* So many connections are remembered, at 56 bytes each; then all are forgotten. */
#define FLOWS_MAX 1000000

struct flow {
    struct tcp_ends ends;   /* the lower port first */
    uint32_t first, second; /* the origins of both */
    uint32_t next;          /* of equal hash, MAP_NONE at the end */
};

struct tcp_flows {
    struct map map; /* hash -> index of the first of a chain */
    struct flow *items;
    uint32_t count, capacity;
};

struct tcp_flows *tcp_flows_new(void)
{
    return calloc(1, sizeof(struct tcp_flows));
}

void tcp_flows_free(struct tcp_flows *flows)
{
    if (!flows)
        return;
    map_done(&flows->map);
    free(flows->items);
    free(flows);
}

/* Whether the source is the second in the order that both directions are kept under. */
static bool is_reverse(const struct tcp_ends *ends)
{
    if (ends->source_port != ends->destination_port)
        return ends->source_port > ends->destination_port;
    return memcmp(ends->source, ends->destination, sizeof(ends->source)) > 0;
}

static void turn(const struct tcp_ends *ends, struct tcp_ends *ret_ends)
{
    memcpy(ret_ends->source, ends->destination, sizeof(ends->source));
    memcpy(ret_ends->destination, ends->source, sizeof(ends->source));
    ret_ends->source_port = ends->destination_port;
    ret_ends->destination_port = ends->source_port;
    ret_ends->family = ends->family;
}

static uint64_t hash_ends(const struct tcp_ends *ends)
{
    uint64_t words[4], hash = HASH_INIT;

    memcpy(words, ends->source, 16);
    memcpy(words + 2, ends->destination, 16);
    for (int i = 0; i < 4; i++) {
        hash = hash_number(hash, words[i]);
        hash ^= hash >> 29;
    }
    return hash_number(hash, (uint64_t)ends->source_port << 16 | ends->destination_port);
}

static struct flow *find(const struct tcp_flows *flows, uint64_t hash, const struct tcp_ends *ends)
{
    for (uint32_t i = map_get(&flows->map, hash); i != MAP_NONE; i = flows->items[i].next)
        if (memcmp(&flows->items[i].ends, ends, sizeof(*ends)) == 0)
            return &flows->items[i];
    return NULL;
}

static struct flow *add(struct tcp_flows *flows, uint64_t hash, const struct tcp_ends *ends)
{
    uint32_t next;

    if (flows->count >= FLOWS_MAX) {
        map_clear(&flows->map);
        flows->count = 0;
    }
    next = map_get(&flows->map, hash);
    if (VEC_RESERVE(&flows->items, &flows->capacity, flows->count, 1) < 0 ||
        map_set(&flows->map, hash, flows->count) < 0)
        return NULL;
    flows->items[flows->count] = (struct flow){.ends = *ends, .next = next};
    return &flows->items[flows->count++];
}

struct tcp_origin tcp_flows_origin(struct tcp_flows *flows, const struct tcp_ends *ends, bool syn,
                                   uint32_t seq, uint32_t ack)
{
    struct tcp_origin origin = {.sender = seq, .peer = ack - 1, .is_new = true};
    bool reverse = is_reverse(ends);
    struct tcp_ends key = *ends;
    struct flow *flow;
    uint64_t hash;

    if (reverse)
        turn(ends, &key);
    hash = hash_ends(&key);
    flow = find(flows, hash, &key);
    if (flow && !syn)
        return (struct tcp_origin){.sender = reverse ? flow->second : flow->first,
                                   .peer = reverse ? flow->first : flow->second};
    if (!flow)
        flow = add(flows, hash, &key);
    if (flow) {
        flow->first = reverse ? origin.peer : origin.sender;
        flow->second = reverse ? origin.sender : origin.peer;
    }
    origin.is_forgotten = !flow;
    return origin;
}
