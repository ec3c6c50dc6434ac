/* SPDX-License-Identifier: MIT */
/* Tells destinations apart, and finds the other end of connections. */
#include "derive/health/remote.h"

#include "base/hash.h"
#include "derive/address.h"
#include "derive/health/finding.h"

#include <string.h>

/* IPv4 has one form, whether the socket is of IPv4 or of IPv6. */
static union address plain(const struct socket *socket, const union address *address)
{
    if (!address_is_mapped(socket->family, address))
        return *address;
    return (union address){.words = {address->words[3]}};
}

static uint64_t hash_address(uint64_t hash, const union address *address)
{
    return hash_numbers(hash, address->words, ARRAY_SIZE(address->words));
}

static bool is_same(const struct socket *a, const union address *of_a, const struct socket *b,
                    const union address *of_b)
{
    union address x = plain(a, of_a), y = plain(b, of_b);

    return memcmp(&x, &y, sizeof(x)) == 0;
}

uint64_t remote_key(const struct socket *socket, bool by_port)
{
    union address peer = plain(socket, &socket->peer);
    uint64_t hash = hash_number(HASH_INIT, socket->netns);

    return hash_address(hash_number(hash, by_port ? socket->peer_port : 0), &peer);
}

uint64_t remote_route_key(const struct socket *socket)
{
    union address local = plain(socket, &socket->local);

    return hash_address(remote_key(socket, true), &local);
}

const struct next_hop *remote_next_hop(const struct snapshot *snapshot, const struct socket *socket)
{
    for (uint32_t i = 0; i < snapshot->next_hops_count; i++) {
        const struct next_hop *hop = &snapshot->next_hops[i];

        /* A bound or marked one may go another way. */
        if (hop->netns == socket->netns && hop->family == socket->family && !socket->ifindex &&
            !socket->mark && memcmp(&hop->destination, &socket->peer, sizeof(socket->peer)) == 0)
            return hop;
    }
    return NULL;
}

uint64_t remote_hop_key(const struct next_hop *hop)
{
    uint64_t hash = hash_number(HASH_INIT, hop->netns);

    return hash_address(hash_number(hash, hop->ifindex), &hop->address);
}

uint32_t remote_other_end(const struct snapshot *snapshot, const struct socket *socket)
{
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *other = &snapshot->sockets[i];

        if (other->proto == socket->proto && other->local_port == socket->peer_port &&
            other->peer_port == socket->local_port &&
            is_same(other, &other->local, socket, &socket->peer) &&
            is_same(other, &other->peer, socket, &socket->local))
            return i;
    }
    return HEALTH_NONE;
}

uint32_t remote_listener(const struct snapshot *snapshot, const struct socket *socket)
{
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *other = &snapshot->sockets[i];

        if (other->proto == socket->proto && other->netns == socket->netns &&
            other->state == STATE_LISTENING && other->local_port == socket->peer_port &&
            (is_same(other, &other->local, socket, &socket->peer) ||
             address_is_any(other->family, &other->local)))
            return i;
    }
    return HEALTH_NONE;
}
