/* SPDX-License-Identifier: MIT */
/* Agreement: rounds of readings, the differences of each, and those that stay. */
#include "derive/agreement.h"

#include "base/hash.h"
#include "base/vec.h"
#include "derive/address.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A thing that some teller told of: a socket, or a process that holds one. */
struct item {
    uint64_t key;    /* what it is */
    uint64_t ends;   /* of a socket without an inode: the key of any socket with these ends; or 0 */
    uint64_t cookie; /* 0: nobody told */
    uint32_t seen;   /* 1u << enum teller */
    uint32_t index;  /* of the socket or holder in the snapshot of `teller` */
    uint8_t subject, teller;
};

struct items {
    struct item *all;
    uint32_t count, capacity;
    struct map index; /* key -> position */
};

/* What the tellers told of one kind of thing. */
struct tally {
    uint32_t counts[TELLERS];
    uint32_t tellers; /* who could tell */
};

/* One round, while it is compared. */
struct round {
    const struct agreement_reading *reading;
    struct items items;
    struct map ends;    /* key of ends -> who told of a socket with them */
    struct map inodes;  /* of the sockets -> who told of them */
    struct map visible; /* ids of the processes whose descriptors /proc shows */
    struct tally tallies[AGREEMENT_SUBJECTS];
};

struct agreement {
    struct items differing; /* of every round so far; `seen` is who told of it */
    struct tally tallies[AGREEMENT_SUBJECTS];
    uint32_t first[AGREEMENT_SUBJECTS]; /* differences of the first round */
    uint32_t rounds;
};

static void items_done(struct items *items)
{
    free(items->all);
    map_done(&items->index);
}

static void round_done(struct round *round)
{
    items_done(&round->items);
    map_done(&round->ends);
    map_done(&round->inodes);
    map_done(&round->visible);
}

struct agreement *agreement_new(void)
{
    return calloc(1, sizeof(struct agreement));
}

void agreement_free(struct agreement *agreement)
{
    if (agreement)
        items_done(&agreement->differing);
    free(agreement);
}

/* --- what is told --- */

static int items_add(struct items *items, const struct item *item)
{
    int r = VEC_RESERVE(&items->all, &items->capacity, items->count, 1);

    if (r == 0)
        r = map_set(&items->index, item->key, items->count);
    if (r == 0)
        items->all[items->count++] = *item;
    return r;
}

/* Also a teller that tells twice of a thing told of it once. */
static int tell(struct round *round, const struct item *told)
{
    uint32_t known = map_get(&round->items.index, told->key);
    struct item *item;

    if (known == MAP_NONE) {
        round->tallies[told->subject].counts[told->teller]++;
        return items_add(&round->items, told);
    }
    item = &round->items.all[known];
    if (!(item->seen & told->seen))
        round->tallies[told->subject].counts[told->teller]++;
    item->seen |= told->seen;
    if (!item->cookie)
        item->cookie = told->cookie;
    return 0;
}

/* An IPv4 address may be told as an IPv6 one. */
static uint64_t hash_end(uint64_t hash, const struct socket *socket, const union address *address,
                         uint16_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *bytes = address->bytes;
    size_t length = socket->family == AF_INET ? 4 : 16;

    if (length == 16 && memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        bytes += sizeof(mapped);
        length = 4;
    }
    return hash_number(hash_bytes(hash, bytes, length), port);
}

static uint32_t bits_of(const struct map *map, uint64_t key)
{
    uint32_t bits = map_get(map, key);

    return bits == MAP_NONE ? 0 : bits;
}

static int add_bit(struct map *map, uint64_t key, uint32_t bit)
{
    return map_set(map, key, bits_of(map, key) | bit);
}

/* Of sockets of the same protocol and namespace only this one has these ends. */
static uint64_t hash_ends(uint64_t hash, const struct socket *socket)
{
    if (address_is_inet(socket->family)) {
        hash = hash_end(hash, socket, &socket->local, socket->local_port);
        return hash_end(hash, socket, &socket->peer, socket->peer_port);
    }
    return hash_number(hash_number(hash, socket->protocol), socket->local.words[0]);
}

/*
 * Which sockets every teller can tell of: those in the kernel's tables, where they have something
 * to be known by. A unix connection that nobody has accepted has nothing.
 */
static bool is_comparable(const struct snapshot *snapshot, const struct socket *socket)
{
    if (!(snapshot->netns[socket->netns].flags & NETNS_READ))
        return false;
    if (socket->proto == PROTO_TCP)
        return socket->state != STATE_UNCONNECTED && socket->state != STATE_BOUND_INACTIVE;
    return socket->proto != PROTO_UNIX || socket->inode;
}

/* The sockets that carry a connection of MPTCP share its inode, so that the ends belong to it. */
static int tell_socket(struct round *round, enum teller teller, uint32_t index)
{
    const struct snapshot *snapshot = round->reading->snapshots[teller];
    const struct socket *socket = &snapshot->sockets[index];
    uint64_t place =
        hash_number(hash_number(HASH_INIT, socket->proto), snapshot->netns[socket->netns].inode);
    uint64_t ends = hash_ends(place, socket);
    uint64_t key = socket->proto == PROTO_TCP || !socket->inode ? ends : place;
    struct item item = {
        .key = hash_number(hash_number(key, socket->inode), 1),
        .ends = socket->inode ? 0 : ends,
        .cookie = socket->has & SOCKET_HAS_COOKIE ? socket->cookie : 0,
        .seen = 1u << teller,
        .index = index,
        .subject = socket->proto,
        .teller = (uint8_t)teller,
    };
    int r = add_bit(&round->ends, ends, 1u << teller);

    if (r == 0 && socket->inode)
        r = add_bit(&round->inodes, socket->inode, 1u << teller);
    return r == 0 ? tell(round, &item) : r;
}

static bool has_brought(const struct snapshot *snapshot, const char *fact)
{
    for (uint32_t i = 0; i < snapshot->sources_count; i++)
        if (strcmp(snapshot_string(snapshot, snapshot->sources[i].fact, NULL), fact) == 0)
            return true;
    return false;
}

/* What was asked and did not come is not told; but of nothing nothing comes. */
static uint32_t told_protos(const struct agreement_reading *reading, enum teller teller)
{
    const struct snapshot *snapshot = reading->snapshots[teller];
    uint32_t protos = 0;

    for (unsigned int proto = 0; proto < PROTO_MAX && snapshot; proto++)
        if (reading->protos[teller] & PROTO_BIT(proto) &&
            has_brought(snapshot, socket_proto_name(proto)))
            protos |= PROTO_BIT(proto);
    return protos;
}

static int tell_sockets(struct round *round, enum teller teller, uint32_t protos)
{
    const struct snapshot *snapshot = round->reading->snapshots[teller];
    int r = 0;

    for (uint32_t i = 0; snapshot && i < snapshot->sockets_count && r == 0; i++)
        if (protos & PROTO_BIT(snapshot->sockets[i].proto) &&
            is_comparable(snapshot, &snapshot->sockets[i]))
            r = tell_socket(round, teller, i);
    return r;
}

static bool has_any(const struct tally *tally)
{
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        if (tally->counts[teller])
            return true;
    return false;
}

static int tell_all_sockets(struct round *round)
{
    uint32_t told[TELLERS];
    int r = 0;

    for (unsigned int teller = 0; teller < TELLERS && r == 0; teller++) {
        told[teller] = told_protos(round->reading, teller);
        r = tell_sockets(round, teller, told[teller]);
    }
    for (unsigned int proto = 0; proto < PROTO_MAX && r == 0; proto++)
        for (unsigned int teller = 0; teller < TELLERS; teller++)
            if ((has_any(&round->tallies[proto]) ? told[teller] : round->reading->protos[teller]) &
                PROTO_BIT(proto))
                round->tallies[proto].tellers |= 1u << teller;
    return r;
}

/* --- who holds what --- */

static bool hides_owners(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->notes_count; i++)
        if (snapshot->notes[i].effect == NOTE_OWNERS)
            return true;
    return false;
}

/* Of processes that /proc shows, all but those whose descriptors it does not. */
static int see_processes(struct round *round)
{
    const struct snapshot *snapshot = round->reading->snapshots[TELLER_PROC];
    int r = 0;

    for (uint32_t i = 0; i < snapshot->processes_count && r == 0; i++)
        if (!(snapshot->processes[i].flags & PROCESS_FDS_HIDDEN))
            r = map_set(&round->visible, snapshot->processes[i].pid, 1);
    return r;
}

static bool is_flagged_hidden(const struct snapshot *snapshot, uint32_t pid)
{
    uint32_t index = map_get(&snapshot->process_index, pid);

    return index != MAP_NONE && snapshot->processes[index].flags & PROCESS_FDS_HIDDEN;
}

/* A process that /proc may not show is no difference, unless it says that it shows all. */
static bool is_shown_to_all(const struct round *round, uint32_t pid)
{
    const struct snapshot *proc = round->reading->snapshots[TELLER_PROC],
                          *bpf = round->reading->snapshots[TELLER_BPF];

    if (bpf && pid == 1 && hides_owners(bpf))
        return false;
    if (proc && is_flagged_hidden(proc, pid))
        return false;
    return !proc || !hides_owners(proc) || map_get(&round->visible, pid) != MAP_NONE;
}

/* In /proc only the holders of those sockets are searched that it tells of itself. */
static int tell_holders(struct round *round, enum teller teller)
{
    const struct snapshot *snapshot = round->reading->snapshots[teller];
    uint32_t told = round->reading->snapshots[TELLER_PROC] ? 1u << TELLER_PROC : UINT32_MAX;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->holders_count && r == 0; i++) {
        const struct holder *holder = &snapshot->holders[i];
        uint32_t pid = snapshot->processes[holder->process].pid;
        struct item item = {
            .key = hash_number(hash_number(hash_number(HASH_INIT, holder->inode), pid), 2),
            .seen = 1u << teller,
            .index = i,
            .subject = AGREEMENT_OWNERS,
            .teller = (uint8_t)teller,
        };

        if (bits_of(&round->inodes, holder->inode) & told && is_shown_to_all(round, pid))
            r = tell(round, &item);
    }
    return r;
}

static int tell_owners(struct round *round)
{
    static const enum teller tellers[] = {TELLER_BPF, TELLER_PROC};
    int r = round->reading->snapshots[TELLER_PROC] ? see_processes(round) : 0;

    for (size_t i = 0; i < ARRAY_SIZE(tellers) && r == 0; i++) {
        const struct snapshot *snapshot = round->reading->snapshots[tellers[i]];

        if (!snapshot || !has_brought(snapshot, "owners"))
            continue;
        round->tallies[AGREEMENT_OWNERS].tellers |= 1u << tellers[i];
        r = tell_holders(round, tellers[i]);
    }
    return r;
}

/* --- differences --- */

/* Who could tell of it, and did not. */
static uint32_t silent_tellers(const struct round *round, const struct item *item)
{
    uint32_t silent = round->tallies[item->subject].tellers & ~item->seen;

    return item->ends ? silent & ~bits_of(&round->ends, item->ends) : silent;
}

/* Whether it differed in the same way before, as far as that is known. */
static bool is_the_same(const struct item *before, const struct item *now)
{
    return before->seen == now->seen &&
           (!before->cookie || !now->cookie || before->cookie == now->cookie);
}

static int keep_differing(struct agreement *agreement, const struct round *round)
{
    CLEANUP(items_done) struct items before = agreement->differing;
    int r = 0;

    agreement->differing = (struct items){.all = NULL};
    for (uint32_t i = 0; i < round->items.count && r == 0; i++) {
        const struct item *item = &round->items.all[i];
        uint32_t known = map_get(&before.index, item->key);

        if (!silent_tellers(round, item))
            continue;
        if (agreement->rounds == 0)
            agreement->first[item->subject]++;
        else if (known == MAP_NONE || !is_the_same(&before.all[known], item))
            continue;
        r = items_add(&agreement->differing, item);
    }
    return r;
}

int agreement_add(struct agreement *agreement, const struct agreement_reading *reading)
{
    CLEANUP(round_done) struct round round = {.reading = reading};
    int r = tell_all_sockets(&round);

    if (r == 0)
        r = tell_owners(&round);
    if (r == 0)
        r = keep_differing(agreement, &round);
    if (r < 0)
        return r;
    memcpy(agreement->tallies, round.tallies, sizeof(agreement->tallies));
    agreement->rounds++;
    return 0;
}

bool agreement_is_settled(const struct agreement *agreement)
{
    return agreement->rounds > 0 && agreement->differing.count == 0;
}

/* --- what came out --- */

void agreement_result(const struct agreement *agreement, unsigned int subject,
                      struct agreement_result *ret_result)
{
    const struct tally *tally = &agreement->tallies[subject];
    uint32_t differing = 0;

    for (uint32_t i = 0; i < agreement->differing.count; i++)
        differing += agreement->differing.all[i].subject == subject;
    *ret_result = (struct agreement_result){
        .tellers = tally->tellers,
        .differing = differing,
        .passing = agreement->first[subject] - differing,
    };
    memcpy(ret_result->counts, tally->counts, sizeof(tally->counts));
}

uint32_t agreement_rounds(const struct agreement *agreement)
{
    return agreement->rounds;
}

uint32_t agreement_count(const struct agreement *agreement)
{
    return agreement->differing.count;
}

struct agreement_difference agreement_difference(const struct agreement *agreement, uint32_t index)
{
    const struct item *item = &agreement->differing.all[index];

    return (struct agreement_difference){
        .subject = item->subject,
        .tells = item->seen,
        .silent = agreement->tallies[item->subject].tellers & ~item->seen,
        .teller = item->teller,
        .index = item->index,
    };
}
