/* SPDX-License-Identifier: MIT */
/* NAT: sockets are found by the values of their packets, which in a router's table are those of
 * sockets in other namespaces. */
#include "derive/nat.h"

#include "base/vec.h"
#include "derive/address.h"
#include "derive/join.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/*
 * What the packets of a socket have, seen from it; of one that is not connected nothing of the
 * peer, and no address where it is bound to all. IPv4 is written as in IPv6, since sockets have
 * either. Without padding, so that places are compared by their bytes.
 */
struct place {
    union address local, peer;
    uint16_t local_port, peer_port;
    uint32_t proto; /* enum socket_proto */
};

/* Sockets and addresses by hash. Those with equal hashes are a chain. */
struct finder {
    const struct snapshot *snapshot;
    struct map sockets, addresses;        /* -> index of the first */
    uint32_t *next_socket, *next_address; /* of each; NAT_NONE: the last */
    uint8_t ports[1 << 13]; /* bits: local ports of sockets; most entries of a router have others */
};

static union address widen(unsigned int family, const union address *address)
{
    union address wide = *address;

    if (family == AF_INET) {
        wide = (union address){.bytes = {[10] = 0xff, [11] = 0xff}};
        memcpy(wide.bytes + 12, address->bytes, 4);
    }
    return wide;
}

static uint64_t hash_words(const void *bytes, size_t length)
{
    uint64_t hash = 0, word;

    for (size_t at = 0; at + sizeof(word) <= length; at += sizeof(word)) {
        memcpy(&word, (const char *)bytes + at, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* A socket of these may have the entries of many peers, without being connected. */
static bool takes_any_peer(unsigned int proto)
{
    return proto == PROTO_UDP || proto == PROTO_UDPLITE || proto == PROTO_ICMP;
}

static bool is_connected(const struct socket *socket)
{
    return socket->peer_port && socket->state != STATE_LISTENING;
}

/* False: a socket that no entry is of, or that only the entries of its connections tell of. */
static bool place_of(const struct socket *socket, struct place *ret_place)
{
    const uint32_t connected = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_SCTP) | PROTO_BIT(PROTO_DCCP);
    struct place place = {.local_port = socket->local_port, .proto = socket->proto};

    if (!address_is_inet(socket->family) || !socket->local_port ||
        (!(PROTO_BIT(socket->proto) & connected) && !takes_any_peer(socket->proto)))
        return false;
    if (is_connected(socket)) {
        place.peer = widen(socket->family, &socket->peer);
        place.peer_port = socket->peer_port;
    } else if (!takes_any_peer(socket->proto)) {
        return false;
    }
    if (!address_is_any(socket->family, &socket->local))
        place.local = widen(socket->family, &socket->local);
    *ret_place = place;
    return true;
}

/* From the last to the first, so that a chain has them in their order. */
static int index_sockets(struct finder *finder)
{
    const struct snapshot *snapshot = finder->snapshot;
    int r = map_reserve(&finder->sockets, snapshot->sockets_count);

    for (uint32_t i = snapshot->sockets_count; r == 0 && i-- > 0;) {
        struct place place;
        uint64_t hash;

        finder->next_socket[i] = NAT_NONE;
        if (!place_of(&snapshot->sockets[i], &place))
            continue;
        hash = hash_words(&place, sizeof(place));
        finder->ports[place.local_port >> 3] |= (uint8_t)(1u << (place.local_port & 7));
        finder->next_socket[i] = map_get(&finder->sockets, hash);
        r = map_set(&finder->sockets, hash, i);
    }
    return r;
}

static int index_addresses(struct finder *finder)
{
    const struct snapshot *snapshot = finder->snapshot;
    int r = 0;

    for (uint32_t i = snapshot->link_addresses_count; r == 0 && i-- > 0;) {
        const struct link_address *address = &snapshot->link_addresses[i];
        union address wide = widen(address->family, &address->address);
        uint64_t hash = hash_words(&wide, sizeof(wide));

        finder->next_address[i] = map_get(&finder->addresses, hash);
        r = map_set(&finder->addresses, hash, i);
    }
    return r;
}

static void finder_done(struct finder *finder)
{
    map_done(&finder->sockets);
    map_done(&finder->addresses);
    free(finder->next_socket);
    free(finder->next_address);
}

static int finder_make(const struct snapshot *snapshot, struct finder *finder)
{
    int r;

    memset(finder, 0, sizeof(*finder));
    finder->snapshot = snapshot;
    finder->next_socket = calloc(snapshot->sockets_count + 1u, sizeof(uint32_t));
    finder->next_address = calloc(snapshot->link_addresses_count + 1u, sizeof(uint32_t));
    r = finder->next_socket && finder->next_address ? 0 : -ENOMEM;
    if (r == 0)
        r = index_sockets(finder);
    if (r == 0)
        r = index_addresses(finder);
    return r;
}

/* --- addresses --- */

/* Such addresses mean another thing in each namespace, or on each link. */
static bool is_confined(const union address *wide)
{
    const struct in6_addr *v6 = (const struct in6_addr *)wide->bytes;

    return IN6_IS_ADDR_V4MAPPED(v6) ? wide->bytes[12] == 127
                                    : IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_LINKLOCAL(v6);
}

/* Whether an address is of a namespace. *ret_anywhere, which may be NULL: of any that was read. */
static bool has_address(const struct finder *finder, uint32_t netns, const union address *wide,
                        bool *ret_anywhere)
{
    const struct snapshot *snapshot = finder->snapshot;
    uint32_t i = map_get(&finder->addresses, hash_words(wide, sizeof(*wide)));
    bool anywhere = false, here = false;

    for (; i != MAP_NONE && !here; i = finder->next_address[i]) {
        const struct link_address *address = &snapshot->link_addresses[i];
        union address own = widen(address->family, &address->address);

        if (memcmp(&own, wide, sizeof(own)) == 0) {
            anywhere = true;
            here = netns == address->netns;
        }
    }
    if (ret_anywhere)
        *ret_anywhere = anywhere;
    return here;
}

/* --- sockets --- */

/* An end of an entry that is looked for. */
struct wanted {
    struct place place;
    uint32_t netns; /* of the entry */
    bool elsewhere; /* in other namespaces, not in that */
    bool seen;      /* there was such a socket, in whichever */
};

/*
 * Counts the sockets at a place into `end`, which gets the first of them. Sockets that share a port
 * in one namespace (SO_REUSEPORT) are one candidate: it is that namespace that is looked for.
 */
static void look_at(const struct finder *finder, struct wanted *wanted, const struct place *place,
                    struct nat_end *end)
{
    const struct snapshot *snapshot = finder->snapshot;
    uint32_t i = map_get(&finder->sockets, hash_words(place, sizeof(*place)));

    for (; i != MAP_NONE; i = finder->next_socket[i]) {
        const struct socket *socket = &snapshot->sockets[i];
        struct place other;

        if (!place_of(socket, &other) || memcmp(&other, place, sizeof(other)) != 0)
            continue;
        wanted->seen = true;
        if ((socket->netns == wanted->netns) == wanted->elsewhere)
            continue;
        if (wanted->elsewhere && !place->peer_port &&
            !has_address(finder, socket->netns, &wanted->place.local, NULL))
            continue;
        if (end->socket != NAT_NONE && snapshot->sockets[end->socket].netns == socket->netns)
            continue;
        end->socket = end->socket == NAT_NONE ? i : end->socket;
        end->candidates++;
    }
}

/* Connected sockets first; then those of datagrams that are bound to the address, or to all. */
static void look(const struct finder *finder, struct wanted *wanted, struct nat_end *end)
{
    struct place place = wanted->place;

    if (place.peer_port)
        look_at(finder, wanted, &place, end);
    if (!takes_any_peer(place.proto))
        return;
    place.peer = (union address){{0}};
    place.peer_port = 0;
    if (end->candidates == 0)
        look_at(finder, wanted, &place, end);
    place.local = (union address){{0}};
    if (end->candidates == 0)
        look_at(finder, wanted, &place, end);
}

static struct place place_of_end(const struct conntrack *entry, const struct nat_sight *sight)
{
    return (struct place){
        .local = widen(entry->family, sight->local.address),
        .peer = widen(entry->family, sight->peer.address),
        .local_port = sight->local.port,
        .peer_port = sight->peer.port,
        .proto = conntrack_proto(entry),
    };
}

/* Pings are answered by the kernel. */
static bool has_socket(const struct finder *finder, const struct place *place, enum nat_role role)
{
    return place->proto != PROTO_UNKNOWN &&
           finder->ports[place->local_port >> 3] >> (place->local_port & 7) & 1 &&
           !(place->proto == PROTO_ICMP && role == NAT_SERVER);
}

static struct nat_end find_end(const struct finder *finder, const struct conntrack *entry,
                               enum nat_role role)
{
    struct nat_end end = {.socket = NAT_NONE, .reason = NAT_NO_SOCKET};
    struct nat_sight sight = nat_sight(entry, role);
    struct wanted wanted = {.place = place_of_end(entry, &sight), .netns = entry->netns};
    const union address *local = &wanted.place.local;
    bool anywhere;

    if (has_socket(finder, &wanted.place, role))
        look(finder, &wanted, &end);
    if (end.candidates == 0 && !is_confined(local) &&
        !has_address(finder, entry->netns, local, &anywhere)) {
        wanted.elsewhere = true;
        if (wanted.seen)
            look(finder, &wanted, &end);
        if (end.candidates == 0 && !anywhere)
            end.reason = NAT_ELSEWHERE;
    }
    if (end.candidates == 1)
        end.reason = NAT_FOUND;
    else if (end.candidates > 1)
        end.reason = NAT_AMBIGUOUS;
    if (end.candidates > 1)
        end.socket = NAT_NONE;
    return end;
}

/* --- what is found --- */

static int add_holders(const struct join *join, struct nat *nat, uint32_t *capacity,
                       struct nat_entry *entry)
{
    int r = 0;

    entry->first_holder = nat->holder_count;
    for (uint32_t role = 0; role < NAT_ROLE_MAX && r == 0; role++) {
        uint32_t socket = entry->ends[role].socket;
        const struct socket_join *joined = socket == NAT_NONE ? NULL : &join->sockets[socket];

        if (!joined)
            continue;
        r = VEC_RESERVE(&nat->holders, capacity, nat->holder_count, joined->holder_count);
        for (uint32_t i = 0; r == 0 && i < joined->holder_count; i++)
            nat->holders[nat->holder_count++] =
                (struct nat_holder){.order = joined->first_holder + i, .role = role};
    }
    entry->holder_count = nat->holder_count - entry->first_holder;
    return r;
}

static bool has_nat(const struct conntrack *entry)
{
    return entry->status & (CONNTRACK_SRC_NAT | CONNTRACK_DST_NAT);
}

/* A connection may have entries in its own namespace and in that of a router: the one with NAT says
 * more. */
static void tell_sockets(const struct snapshot *snapshot, struct nat *nat, uint32_t i)
{
    for (uint32_t role = 0; role < NAT_ROLE_MAX; role++) {
        uint32_t socket = nat->entries[i].ends[role].socket;
        struct nat_socket *known;

        if (socket == NAT_NONE || !is_connected(&snapshot->sockets[socket]))
            continue;
        known = &nat->sockets[socket];
        if (known->entry == NAT_NONE ||
            (has_nat(&snapshot->conntracks[i]) && !has_nat(&snapshot->conntracks[known->entry])))
            *known = (struct nat_socket){.entry = i, .role = role};
    }
}

static int fill(const struct finder *finder, const struct join *join, struct nat *nat)
{
    const struct snapshot *snapshot = finder->snapshot;
    uint32_t capacity = 0;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        nat->sockets[i].entry = NAT_NONE;
    for (uint32_t i = 0; i < snapshot->conntracks_count && r == 0; i++) {
        struct nat_entry *entry = &nat->entries[i];

        for (uint32_t role = 0; role < NAT_ROLE_MAX; role++)
            entry->ends[role] = find_end(finder, &snapshot->conntracks[i], role);
        tell_sockets(snapshot, nat, i);
        r = add_holders(join, nat, &capacity, entry);
    }
    return r;
}

int nat_make(const struct snapshot *snapshot, const struct join *join, struct nat *ret_nat)
{
    CLEANUP(finder_done) struct finder finder = {.snapshot = snapshot};
    struct nat nat = {.entries = NULL};
    int r = 0;

    if (snapshot->conntracks_count) {
        nat.entries = calloc(snapshot->conntracks_count, sizeof(*nat.entries));
        nat.sockets = calloc(snapshot->sockets_count + 1u, sizeof(*nat.sockets));
        r = nat.entries && nat.sockets ? finder_make(snapshot, &finder) : -ENOMEM;
        if (r == 0)
            r = fill(&finder, join, &nat);
    }
    if (r < 0)
        nat_done(&nat);
    else
        *ret_nat = nat;
    return r;
}

void nat_done(struct nat *nat)
{
    free(nat->entries);
    free(nat->holders);
    free(nat->sockets);
    *nat = (struct nat){.entries = NULL};
}

/* --- whom it talks to --- */

bool nat_idle_ms(const struct snapshot *snapshot, uint32_t socket, uint64_t *ret_ms)
{
    const struct tcp_details *tcp =
        socket == NAT_NONE ? NULL : snapshot_tcp(snapshot, &snapshot->sockets[socket]);

    if (!tcp || !tcp->known)
        return false;
    *ret_ms = tcp->last_data_sent_ms < tcp->last_data_recv_ms ? tcp->last_data_sent_ms
                                                              : tcp->last_data_recv_ms;
    return true;
}

bool nat_will_forget(const struct snapshot *snapshot, const struct conntrack *entry,
                     uint32_t socket)
{
    uint64_t idle_ms, left_ms = (uint64_t)entry->timeout_s * 1000;

    if (entry->protocol != IPPROTO_TCP || entry->state != CONNTRACK_TCP_ESTABLISHED ||
        !(entry->has & CONNTRACK_HAS_TIMEOUT) || !nat_idle_ms(snapshot, socket, &idle_ms))
        return false;
    if (snapshot->sockets[socket].timer == TIMER_KEEPALIVE &&
        snapshot->sockets[socket].timer_ms < left_ms)
        return false;
    return snapshot->sockets[socket].state == STATE_ESTABLISHED && idle_ms > left_ms;
}
