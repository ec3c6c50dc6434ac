/* SPDX-License-Identifier: MIT */
/* Listeners are found by hash: address before wildcard, bound device before any, as in
 * inet_lookup_listener() of the kernel. */
#include "derive/listeners.h"

#include "derive/address.h"

#include <string.h>
#include <sys/socket.h>

enum place_kind {
    PLACE_ADDRESS,
    PLACE_ANY4,
    PLACE_ANY6_ONLY, /* IPV6_V6ONLY */
    PLACE_ANY_BOTH,  /* IPv6, and IPv4 in its mapped form */
};

/* What a socket listens to. IPv4 addresses are mapped ones: a listener for both makes connections
 * that have such. Without padding, so that places are compared by their bytes. */
struct place {
    uint8_t address[16]; /* zeros for the wildcards */
    uint32_t netns;
    uint32_t ifindex; /* of the bound device; 0: every one */
    uint16_t port;
    uint8_t proto;
    uint8_t kind; /* enum place_kind */
    uint32_t unused;
};

static void map_address(const struct socket *socket, uint8_t *ret_bytes)
{
    if (socket->family == AF_INET) {
        memset(ret_bytes, 0, 10);
        memset(ret_bytes + 10, 0xff, 2);
        memcpy(ret_bytes + 12, socket->local.bytes, 4);
    } else {
        memcpy(ret_bytes, socket->local.bytes, 16);
    }
}

static bool is_ipv4(const struct socket *socket)
{
    return socket->family == AF_INET || address_is_mapped(socket->family, &socket->local);
}

static struct place place_at(const struct socket *socket, enum place_kind kind, uint32_t ifindex)
{
    struct place place = {.netns = socket->netns,
                          .ifindex = ifindex,
                          .port = socket->local_port,
                          .proto = socket->proto,
                          .kind = (uint8_t)kind};

    if (kind == PLACE_ADDRESS)
        map_address(socket, place.address);
    return place;
}

static struct place place_of(const struct socket *listener)
{
    enum place_kind kind = PLACE_ADDRESS;

    if (!address_is_any(listener->family, &listener->local))
        kind = PLACE_ADDRESS;
    else if (is_ipv4(listener))
        kind = PLACE_ANY4;
    else
        kind = listener->flags & SOCKET_V6ONLY ? PLACE_ANY6_ONLY : PLACE_ANY_BOTH;
    return place_at(listener, kind, listener->ifindex);
}

static uint64_t hash_place(const struct place *place)
{
    uint64_t words[sizeof(*place) / sizeof(uint64_t)], hash = 0;

    memcpy(words, place, sizeof(words));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* The socket at a place. Where another place has the same hash the next number is tried. */
static uint32_t find_place(const struct snapshot *snapshot, const struct listeners *listeners,
                           const struct place *place, uint64_t *ret_key)
{
    uint64_t key = hash_place(place);
    uint32_t found;

    while ((found = map_get(&listeners->index, key)) != MAP_NONE) {
        struct place other = place_of(&snapshot->sockets[found]);

        if (memcmp(&other, place, sizeof(other)) == 0)
            break;
        key++;
    }
    *ret_key = key;
    return found;
}

static bool has_port(const struct listeners *listeners, uint16_t port)
{
    return listeners->ports[port / 8] >> port % 8 & 1;
}

int listeners_make(const struct snapshot *snapshot, struct listeners *ret_listeners)
{
    struct listeners listeners = {.index = {0}};
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        struct place place;
        uint64_t key;

        if (snapshot->sockets[i].state != STATE_LISTENING || snapshot->sockets[i].family == AF_UNIX)
            continue;
        place = place_of(&snapshot->sockets[i]);
        listeners.ports[place.port / 8] |= (uint8_t)(1u << place.port % 8);
        if (find_place(snapshot, &listeners, &place, &key) == MAP_NONE)
            r = map_set(&listeners.index, key, i);
    }
    if (r < 0)
        listeners_done(&listeners);
    else
        *ret_listeners = listeners;
    return r;
}

void listeners_done(struct listeners *listeners)
{
    map_done(&listeners->index);
}

/* A listener of one device has only connections that came in there, and these are bound to it. */
static uint32_t find_kind(const struct snapshot *snapshot, const struct listeners *listeners,
                          const struct socket *socket, enum place_kind kind)
{
    struct place place = place_at(socket, kind, socket->ifindex);
    uint32_t found;
    uint64_t key;

    found = find_place(snapshot, listeners, &place, &key);
    if (found != MAP_NONE || socket->ifindex == 0)
        return found;
    place.ifindex = 0;
    return find_place(snapshot, listeners, &place, &key);
}

uint32_t listeners_find(const struct snapshot *snapshot, const struct listeners *listeners,
                        const struct socket *socket)
{
    static const enum place_kind of_ipv4[] = {PLACE_ADDRESS, PLACE_ANY4, PLACE_ANY_BOTH};
    static const enum place_kind of_ipv6[] = {PLACE_ADDRESS, PLACE_ANY6_ONLY, PLACE_ANY_BOTH};
    const enum place_kind *kinds = is_ipv4(socket) ? of_ipv4 : of_ipv6;
    uint32_t found = MAP_NONE;

    if (!has_port(listeners, socket->local_port))
        return MAP_NONE;
    for (size_t i = 0; found == MAP_NONE && i < ARRAY_SIZE(of_ipv4); i++)
        found = find_kind(snapshot, listeners, socket, kinds[i]);
    return found;
}
