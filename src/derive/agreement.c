/* SPDX-License-Identifier: MIT */
/* Agreement: rounds of readings, the differences of each, and those that stay. */
#include "derive/agreement.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Protocols, and behind them which process holds which socket. */
#define SUBJECT_OWNERS PROTO_MAX
#define SUBJECTS (PROTO_MAX + 1)

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
    struct tally tallies[SUBJECTS];
};

struct agreement {
    struct items differing; /* of every round so far; `seen` is who told of it */
    struct tally tallies[SUBJECTS];
    uint32_t first[SUBJECTS]; /* differences of the first round */
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

static bool is_internet(const struct socket *socket)
{
    return socket->family == AF_INET || socket->family == AF_INET6;
}

/* Of sockets of the same protocol and namespace only this one has these ends. */
static uint64_t hash_ends(uint64_t hash, const struct socket *socket)
{
    if (is_internet(socket)) {
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
            .subject = SUBJECT_OWNERS,
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
        round->tallies[SUBJECT_OWNERS].tellers |= 1u << tellers[i];
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

/* --- rows --- */

static void put_tellers(struct buf *out, uint32_t tellers, const char *one, const char *several)
{
    const char *separator = "";
    unsigned int count = 0;

    for (unsigned int teller = 0; teller < TELLERS; teller++)
        if (tellers & 1u << teller) {
            buf_puts(out, separator);
            buf_puts(out, teller_name(teller));
            separator = " and ";
            count++;
        }
    buf_printf(out, " %s", count == 1 ? one : several);
}

static void put_end(struct buf *out, const struct socket *socket, const union address *address,
                    uint16_t port)
{
    buf_host(out, socket->family, address->bytes);
    buf_printf(out, ":%u", port);
}

static void put_socket(struct buf *out, const struct snapshot *snapshot,
                       const struct socket *socket)
{
    size_t length;
    const char *path = snapshot_string(snapshot, socket->path, &length);

    buf_puts(out, socket_proto_name(socket->proto));
    if (is_internet(socket)) {
        buf_byte(out, ' ');
        put_end(out, socket, &socket->local, socket->local_port);
        if (socket->peer_port) {
            buf_puts(out, " > ");
            put_end(out, socket, &socket->peer, socket->peer_port);
        }
    }
    buf_printf(out, " %s", socket_state_name(socket->state));
    if (socket->path) {
        buf_puts(out, socket->flags & SOCKET_ABSTRACT ? " @" : " ");
        buf_put(out, path, length);
    }
    buf_printf(out, " inode %u in namespace ", socket->inode);
    snapshot_put_netns(snapshot, socket->netns, out);
}

static void put_holder(struct buf *out, const struct snapshot *snapshot,
                       const struct holder *holder)
{
    const struct process *process = &snapshot->processes[holder->process];
    size_t length;
    const char *comm = snapshot_string(snapshot, process->comm, &length);

    buf_puts(out, "process ");
    buf_put(out, comm, length);
    buf_printf(out, "(%u) with the socket of inode %u", process->pid, holder->inode);
}

static int set_text(struct snapshot *snapshot, struct buf *text, uint32_t *ret_string)
{
    int r = text->error;

    if (r == 0)
        r = snapshot_intern(snapshot, text->data ? text->data : "", text->length, ret_string);
    buf_reset(text);
    return r;
}

static const char *hint(const struct item *item, uint32_t silent)
{
    if (item->subject == PROTO_UNIX && item->seen == 1u << TELLER_PROC)
        return ": a name with a line break in it can forge such a line of /proc/net/unix";
    if (silent & 1u << TELLER_PROC)
        return ": something hides it in /proc, as a rootkit or a preloaded library does, or the "
               "kernel has a fault";
    return ": something hides it, as a rootkit does, or the kernel has a fault";
}

static int write_difference(const struct agreement *agreement, const struct item *item,
                            const struct agreement_reading *reading, struct snapshot *snapshot,
                            struct selfcheck_row *row)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    const struct snapshot *from = reading->snapshots[item->teller];
    bool is_owner = item->subject == SUBJECT_OWNERS;
    uint32_t tellers = agreement->tallies[item->subject].tellers, silent = tellers & ~item->seen;
    int r;

    row->kind = SELFCHECK_DIFFERENCE;
    row->result = SELFCHECK_DIFFERS;
    row->tellers = tellers;
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        row->counts[teller] = item->seen >> teller & 1;
    if (is_owner)
        put_holder(&text, from, &from->holders[item->index]);
    else
        put_socket(&text, from, &from->sockets[item->index]);
    r = set_text(snapshot, &text, &row->name);
    put_tellers(&text, item->seen, "tells", "tell");
    buf_printf(&text, " of it in each of %u readings, ", agreement->rounds);
    put_tellers(&text, silent, "does", "do");
    buf_puts(&text, " not");
    buf_puts(&text, hint(item, silent));
    if (r == 0)
        r = set_text(snapshot, &text, &row->detail);
    if (r == 0)
        r = snapshot_intern(snapshot, is_owner ? "owners" : "sockets", is_owner ? 6 : 7,
                            &row->part);
    return r;
}

static unsigned int count_tellers(uint32_t tellers)
{
    return (unsigned int)__builtin_popcount(tellers);
}

static int write_comparison(const struct agreement *agreement, unsigned int subject,
                            struct snapshot *snapshot, struct selfcheck_row *row)
{
    const struct tally *tally = &agreement->tallies[subject];
    bool is_owner = subject == SUBJECT_OWNERS;
    const char *name = is_owner ? "owners" : socket_proto_name(subject);
    int r;

    row->kind = SELFCHECK_COMPARISON;
    row->tellers = tally->tellers;
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        row->counts[teller] = tally->counts[teller];
    for (uint32_t i = 0; i < agreement->differing.count; i++)
        row->differing += agreement->differing.all[i].subject == subject;
    row->passing = agreement->first[subject] - row->differing;
    row->result = count_tellers(tally->tellers) < 2 ? SELFCHECK_ALONE
                  : row->differing                  ? SELFCHECK_DIFFERS
                                                    : SELFCHECK_AGREES;
    r = snapshot_intern(snapshot, name, strlen(name), &row->name);
    if (r == 0)
        r = snapshot_intern(snapshot, is_owner ? "owners" : "sockets", is_owner ? 6 : 7,
                            &row->part);
    return r;
}

int agreement_write(const struct agreement *agreement, const struct agreement_reading *reading,
                    struct snapshot *snapshot, struct selfcheck *selfcheck)
{
    int r = 0;

    for (unsigned int subject = PROTO_UNKNOWN + 1; subject < SUBJECTS && r == 0; subject++) {
        struct selfcheck_row *row;

        if (!agreement->tallies[subject].tellers)
            continue;
        row = selfcheck_add(selfcheck);
        r = row ? write_comparison(agreement, subject, snapshot, row) : -ENOMEM;
    }
    for (uint32_t i = 0; i < agreement->differing.count && r == 0; i++) {
        struct selfcheck_row *row = selfcheck_add(selfcheck);

        r = row ? write_difference(agreement, &agreement->differing.all[i], reading, snapshot, row)
                : -ENOMEM;
    }
    return r;
}
