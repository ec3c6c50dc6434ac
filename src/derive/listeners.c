/* SPDX-License-Identifier: MIT */
/* Listeners are found by hash: address before wildcard, bound device before any, as in
 * inet_lookup_listener() of the kernel. */
#include "derive/listeners.h"

#include "derive/address.h"

#include <string.h>
#include <sys/socket.h>

/*
 * What a socket listens to. Its connections have its family: those that come by IPv4 to a listener
 * for both have mapped addresses, but half-open ones may still be plain IPv4. Without padding, so
 * that places are compared by their bytes.
 */
struct place {
    uint8_t address[16]; /* zeros when not is_address */
    uint32_t netns;
    uint32_t ifindex; /* of the bound device; 0: every one */
    uint16_t port;
    uint8_t proto;
    uint8_t family;
    uint32_t is_address; /* 0: every address */
};

static struct place place_at(const struct socket *socket, bool is_address, uint32_t ifindex)
{
    struct place place = {.netns = socket->netns,
                          .ifindex = ifindex,
                          .port = socket->local_port,
                          .proto = socket->proto,
                          .family = socket->family,
                          .is_address = is_address};

    if (is_address)
        memcpy(place.address, socket->local.bytes, socket->family == AF_INET ? 4 : 16);
    return place;
}

static struct place place_of(const struct socket *listener)
{
    bool is_address = !address_is_any(listener->family, &listener->local);

    return place_at(listener, is_address, listener->ifindex);
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
static uint32_t find_at(const struct snapshot *snapshot, const struct listeners *listeners,
                        const struct socket *socket, bool is_address)
{
    struct place place = place_at(socket, is_address, socket->ifindex);
    uint32_t found;
    uint64_t key;

    found = find_place(snapshot, listeners, &place, &key);
    if (found != MAP_NONE || socket->ifindex == 0)
        return found;
    place.ifindex = 0;
    return find_place(snapshot, listeners, &place, &key);
}

static uint32_t find_in_family(const struct snapshot *snapshot, const struct listeners *listeners,
                               const struct socket *socket)
{
    uint32_t found = find_at(snapshot, listeners, socket, true);

    if (found == MAP_NONE)
        found = find_at(snapshot, listeners, socket, false);
    if (found != MAP_NONE && address_is_mapped(socket->family, &socket->local) &&
        (snapshot->sockets[found].flags & SOCKET_V6ONLY))
        return MAP_NONE;
    return found;
}

/* The socket as a listener for both families would have it. */
static struct socket mapped_socket(const struct socket *socket)
{
    struct socket mapped = *socket;

    mapped.family = AF_INET6;
    memset(mapped.local.bytes, 0, 10);
    memset(mapped.local.bytes + 10, 0xff, 2);
    memcpy(mapped.local.bytes + 12, socket->local.bytes, 4);
    return mapped;
}

uint32_t listeners_find(const struct snapshot *snapshot, const struct listeners *listeners,
                        const struct socket *socket)
{
    uint32_t found = MAP_NONE;

    if (!has_port(listeners, socket->local_port))
        return MAP_NONE;
    found = find_in_family(snapshot, listeners, socket);
    if (found == MAP_NONE && socket->family == AF_INET) {
        struct socket mapped = mapped_socket(socket);

        found = find_in_family(snapshot, listeners, &mapped);
    }
    return found;
}
