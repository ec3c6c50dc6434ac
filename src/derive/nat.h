/* SPDX-License-Identifier: MIT */
/* NAT: which sockets the two ends of a tracked connection are, and whom a socket really talks to.
 * Pure. */
#pragma once

#include "model/snapshot.h"

struct join; /* derive/join.h, which has a struct nat in it */

#define NAT_NONE UINT32_MAX

/* Why an end of an entry has no socket. */
enum nat_reason {
    NAT_FOUND,
    NAT_ELSEWHERE, /* its address is of no namespace that was read: another machine */
    NAT_NO_SOCKET, /* its address is, but no socket has the other values */
    NAT_AMBIGUOUS, /* several namespaces have the address, and could have the socket */
};

enum nat_role {
    NAT_CLIENT, /* sent the first packet: its socket has the values of the first direction */
    NAT_SERVER, /* its socket has those of the reply */
    NAT_ROLE_MAX,
};

struct nat_end {
    uint32_t socket;     /* index into snapshot.sockets, or NAT_NONE */
    uint32_t candidates; /* how many there are */
    uint32_t reason;     /* enum nat_reason */
};

struct nat_entry {
    struct nat_end ends[NAT_ROLE_MAX];
    uint32_t first_holder, holder_count; /* of both ends: into nat.holders */
};

/* A descriptor of an end. */
struct nat_holder {
    uint32_t order; /* into join.order */
    uint32_t role;  /* enum nat_role */
};

/* The entry that tells whom a connected socket talks to. */
struct nat_socket {
    uint32_t entry; /* index into snapshot.conntracks, or NAT_NONE */
    uint32_t role;  /* enum nat_role: which end of it the socket is */
};

/* Empty where there are no entries. */
struct nat {
    struct nat_entry *entries;  /* one for each of the snapshot */
    struct nat_holder *holders; /* by entry; those of the client first */
    struct nat_socket *sockets; /* one for each socket of the snapshot */
    uint32_t holder_count;
};

/*
 * An end is looked for in the namespace of the entry; where its address is not of that, which then
 * is a router, in all others that were read. `join` has holders already. 0 or -ENOMEM.
 */
int nat_make(const struct snapshot *snapshot, const struct join *join, struct nat *ret_nat)
    MUST_CHECK;
void nat_done(struct nat *nat);

/* One side of a packet. */
struct nat_side {
    const union address *address;
    uint16_t port;
};

/*
 * An entry as one of its ends sees it: itself, its peer; and by what it is known to the peer, and
 * who the peer really is. Without NAT the last two are the first two.
 */
struct nat_sight {
    struct nat_side local, peer, nat_local, nat_peer;
};

static inline struct nat_side nat_source(const struct conntrack_tuple *tuple)
{
    return (struct nat_side){&tuple->src, tuple->icmp_id ? tuple->icmp_id : tuple->src_port};
}

static inline struct nat_side nat_destination(const struct conntrack_tuple *tuple)
{
    return (struct nat_side){&tuple->dst, tuple->dst_port};
}

/* Here, since each column of a row looks at one side of it. */
static inline struct nat_sight nat_sight(const struct conntrack *entry, enum nat_role role)
{
    const struct conntrack_tuple *own = role == NAT_CLIENT ? &entry->orig : &entry->reply;
    const struct conntrack_tuple *other = role == NAT_CLIENT ? &entry->reply : &entry->orig;

    return (struct nat_sight){
        .local = nat_source(own),
        .peer = nat_destination(own),
        .nat_local = nat_destination(other),
        .nat_peer = nat_source(other),
    };
}

/*
 * Milliseconds for which no data went through a socket, which is joined to an entry of TCP; false
 * when that is not known.
 */
bool nat_idle_ms(const struct snapshot *snapshot, uint32_t socket, uint64_t *ret_ms);

/*
 * Whether the kernel may forget an established connection that is still open: it was idle for
 * longer than its entry has left, and no keepalive will come before that.
 */
bool nat_will_forget(const struct snapshot *snapshot, const struct conntrack *entry,
                     uint32_t socket);
