/* SPDX-License-Identifier: MIT */
/* Whose the ends of tracked connections are: found once, and remembered beside the entry. */
#include "collect/conntrack_watch.h"

#include "base/hash.h"
#include "base/vec.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* When more are remembered, all are forgotten: events were lost, or the kernel's table is huge. */
#define KNOWN_MAX (1u << 19)

/* --- what is remembered --- */

static uint64_t hash_id(uint32_t netns, uint32_t id)
{
    return hash_number(hash_number(HASH_INIT, netns), id);
}

static void forget_all(struct watch *watch)
{
    map_clear(&watch->by_id);
    watch->known_count = watch->unused_count = 0;
}

/* NULL without memory. Valid until the next call. */
struct known_entry *conntrack_know(struct watch *watch, uint32_t netns, uint32_t id)
{
    uint64_t hash = hash_id(netns, id);
    uint32_t at = map_get(&watch->by_id, hash);

    if (at != MAP_NONE && watch->known[at].netns == netns && watch->known[at].id == id)
        return &watch->known[at];
    if (watch->unused_count) {
        at = watch->unused[--watch->unused_count];
    } else {
        if (watch->known_count == KNOWN_MAX)
            forget_all(watch);
        if (VEC_RESERVE(&watch->known, &watch->known_capacity, watch->known_count, 1) < 0)
            return NULL;
        at = watch->known_count++;
    }
    if (map_set(&watch->by_id, hash, at) < 0)
        return NULL;
    watch->known[at] = (struct known_entry){.netns = netns, .id = id};
    return &watch->known[at];
}

int conntrack_forget(struct watch *watch, uint32_t netns, uint32_t id)
{
    uint64_t hash = hash_id(netns, id);
    uint32_t at = map_get(&watch->by_id, hash);
    int r = VEC_RESERVE(&watch->unused, &watch->unused_capacity, watch->unused_count, 1);

    if (r < 0 || at == MAP_NONE)
        return r;
    map_remove(&watch->by_id, hash);
    watch->unused[watch->unused_count++] = at;
    return 0;
}

/* --- addresses --- */

static uint64_t hash_address(unsigned int family, const uint8_t *bytes)
{
    return hash_bytes(hash_number(HASH_INIT, family), bytes, family == AF_INET ? 4 : 16);
}

static int add_home(struct watch *watch, uint32_t netns, const struct link_address *address)
{
    uint64_t hash = hash_address(address->family, address->address.bytes);
    struct home home = {.family = (uint8_t)address->family,
                        .netns = netns,
                        .next = map_get(&watch->by_address, hash)};
    int r = VEC_RESERVE(&watch->homes, &watch->home_capacity, watch->home_count, 1);

    memcpy(home.bytes, address->address.bytes, sizeof(home.bytes));
    if (r == 0)
        r = map_set(&watch->by_address, hash, watch->home_count);
    if (r == 0)
        watch->homes[watch->home_count++] = home;
    return r;
}

int conntrack_take_addresses(struct watch *watch, const struct snapshot *snapshot)
{
    int r = 0;

    map_clear(&watch->by_address);
    watch->home_count = 0;
    for (uint32_t i = 0; i < snapshot->link_addresses_count && r == 0; i++) {
        const struct link_address *address = &snapshot->link_addresses[i];

        if (address->netns < snapshot->netns_count)
            r = add_home(watch, snapshot->netns[address->netns].inode, address);
    }
    return r;
}

/* --- whose an end is --- */

static const struct post *find_post(const struct watch *watch, uint32_t netns)
{
    for (uint32_t i = 0; i < watch->post_count; i++)
        if (watch->posts[i].netns == netns)
            return &watch->posts[i];
    return NULL;
}

/* An end that is looked for: what its packets have as it sends them, and behind NAT. */
struct wanted {
    struct packet_ends ends, wire;
    uint64_t since_ns; /* CLOCK_BOOTTIME: a socket that was gone before is another one */
};

static uint16_t port_of(const struct conntrack_tuple *tuple, uint16_t port)
{
    return tuple->icmp_id ? tuple->icmp_id : port;
}

static struct wanted want(const struct conntrack *entry, enum conntrack_role role,
                          uint64_t since_ns)
{
    const struct conntrack_tuple *own = role == CONNTRACK_CLIENT ? &entry->orig : &entry->reply;
    const struct conntrack_tuple *other = role == CONNTRACK_CLIENT ? &entry->reply : &entry->orig;
    struct packet_ends ends = {.family = entry->family,
                               .proto = entry->protocol,
                               .icmp_type = own->icmp_type,
                               .icmp_code = own->icmp_code};
    struct wanted wanted = {.ends = ends, .wire = ends, .since_ns = since_ns};

    wanted.ends.source_port = port_of(own, own->src_port);
    wanted.ends.target_port = port_of(own, own->dst_port);
    wanted.wire.source_port = port_of(other, other->dst_port);
    wanted.wire.target_port = port_of(other, other->src_port);
    memcpy(wanted.ends.source, &own->src, sizeof(wanted.ends.source));
    memcpy(wanted.ends.target, &own->dst, sizeof(wanted.ends.target));
    memcpy(wanted.wire.source, &other->dst, sizeof(wanted.wire.source));
    memcpy(wanted.wire.target, &other->src, sizeof(wanted.wire.target));
    return wanted;
}

/* Such addresses mean another thing in each namespace, or on each link. */
static bool is_confined(const struct packet_ends *ends)
{
    const struct in6_addr *v6 = (const struct in6_addr *)ends->source;

    return ends->family == AF_INET ? ends->source[0] == 127
                                   : IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_LINKLOCAL(v6);
}

static struct known_end look_at(struct watch *watch, const struct post *post,
                                const struct packet_ends *ends, uint64_t since_ns)
{
    struct known_end found = {.netns = post->netns, .looked = true};

    packet_owners_find_sender(watch->owners, post->place, ends, since_ns, &found.end);
    return found;
}

/* In which namespaces it may be: by a flow that was told, or by its address. */
typedef bool has_fn(const struct watch *watch, const struct post *post,
                    const struct packet_ends *ends);

static bool has_flow(const struct watch *watch, const struct post *post,
                     const struct packet_ends *ends)
{
    return packet_owners_knows_sender(watch->owners, post->place, ends);
}

static bool has_address(const struct watch *watch, const struct post *post,
                        const struct packet_ends *ends)
{
    uint32_t at = map_get(&watch->by_address, hash_address(ends->family, ends->source));

    for (; at != MAP_NONE; at = watch->homes[at].next)
        if (watch->homes[at].netns == post->netns && watch->homes[at].family == ends->family &&
            memcmp(watch->homes[at].bytes, ends->source, ends->family == AF_INET ? 4 : 16) == 0)
            return true;
    return false;
}

/* Where only one of the other namespaces may have it; where several do, it is not known whose it
 * is. False: none does. */
static bool find_elsewhere(struct watch *watch, const struct post *home,
                           const struct wanted *wanted, has_fn *has, struct known_end *ret_end)
{
    const struct post *only = NULL;

    for (uint32_t i = 0; i < watch->post_count; i++) {
        const struct post *post = &watch->posts[i];

        if (post == home || !has(watch, post, &wanted->ends))
            continue;
        if (only) {
            *ret_end = (struct known_end){.end.kind = PACKET_END_UNKNOWN, .looked = true};
            return true;
        }
        only = post;
    }
    if (only)
        *ret_end = look_at(watch, only, &wanted->ends, wanted->since_ns);
    return only;
}

/* In the namespace of the entry, also behind its NAT; where that is a router, in the others. */
static struct known_end find_end(struct watch *watch, const struct post *home,
                                 const struct wanted *wanted)
{
    bool confined = is_confined(&wanted->ends);
    struct known_end found;

    if (!has_flow(watch, home, &wanted->ends)) {
        if (has_flow(watch, home, &wanted->wire))
            return look_at(watch, home, &wanted->wire, wanted->since_ns);
        if (!confined && find_elsewhere(watch, home, wanted, has_flow, &found))
            return found;
    }
    found = look_at(watch, home, &wanted->ends, wanted->since_ns);
    if (found.end.kind != PACKET_END_ELSEWHERE)
        return found;
    found.netns = 0;
    if (!confined)
        find_elsewhere(watch, home, wanted, has_address, &found);
    return found;
}

/* A listener may give way to who took the connection; what is gone stays whose it was. */
static bool is_settled(const struct known_end *known)
{
    return known->looked &&
           (known->end.kind == PACKET_END_ELSEWHERE || known->end.kind == PACKET_END_KERNEL ||
            (known->end.process && known->end.kind != PACKET_END_LISTENER));
}

void conntrack_find_ends(struct watch *watch, const struct conntrack *entry,
                         const struct heard *heard, struct known_entry *known)
{
    const struct post *home = find_post(watch, heard->netns);
    uint64_t since = heard->kind == TRACKED_NEW ? watch->read_ns : 0;

    for (enum conntrack_role role = 0; home && role < CONNTRACK_ROLE_MAX; role++) {
        struct known_end *end = &known->ends[role];
        struct wanted wanted = want(entry, role, since);
        struct known_end found;

        if (is_settled(end))
            continue;
        found = find_end(watch, home, &wanted);
        if (!end->looked || found.end.process || !end->end.process)
            *end = found;
    }
}
