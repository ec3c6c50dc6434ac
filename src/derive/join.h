/* SPDX-License-Identifier: MIT */
/* Join: what follows from the facts of one snapshot: who holds which socket, and why nobody does.
 * Pure. */
#pragma once

#include "derive/flow_join.h"
#include "derive/nat.h"
#include "model/snapshot.h"

struct buf;

#define JOIN_NONE UINT32_MAX

/* Why a socket has no owner. The words are in join_owner_note(). */
enum owner_reason {
    OWNER_FOUND,
    OWNER_UNKNOWN,       /* owners were not asked for */
    OWNER_TIME_WAIT,     /* the kernel keeps the address; no process has it */
    OWNER_ACCEPT_QUEUE,  /* connected, but the listener has not accepted it yet */
    OWNER_HANDSHAKE,     /* syn-recv: not a connection yet; belongs to the listener */
    OWNER_ORPHAN,        /* closed by its process, the kernel still sends */
    OWNER_KERNEL,        /* made by the kernel for itself */
    OWNER_IN_FLIGHT,     /* a file refers to it, but no descriptor: sent over a unix socket and not
                            received yet */
    OWNER_NO_PERMISSION, /* some processes do not show their descriptors to us */
    OWNER_OTHER_PIDNS,   /* its process is not visible in our pid namespace */
    OWNER_KERNEL_OR_IN_FLIGHT, /* or closed between the two readings: without BPF they cannot be
                                  told apart */
    OWNER_REASON_MAX,
};

enum socket_direction {
    DIRECTION_UNKNOWN,
    DIRECTION_LISTEN,
    DIRECTION_IN,
    DIRECTION_OUT,
    DIRECTION_LOCAL, /* both ends are on this machine */
};

struct socket_join {
    uint32_t first_holder; /* into join.order */
    uint32_t holder_count;
    uint32_t listener; /* index of the listening socket that it came in by or waits at; JOIN_NONE */
    uint32_t syn_queue; /* listening: syn-recv sockets that wait at it */
    uint8_t reason;     /* enum owner_reason */
    uint8_t direction;  /* enum socket_direction */
};

/* What a process has in the table. */
struct process_join {
    uint32_t sockets, listening, established, close_wait;
    uint32_t first_thread, thread_count; /* into snapshot.threads */
    uint32_t sharing_threads;            /* those of them without a descriptor table of their own */
};

struct join {
    struct socket_join *sockets;    /* one for each socket of the snapshot */
    struct process_join *processes; /* one for each process */
    uint32_t *order; /* holders, by socket, then pid, then descriptor: indexes into snapshot.holders
                      */
    uint32_t *order_sockets; /* NEED_DESCRIPTORS: index of the socket of each in `order` */
    uint32_t order_count;
    struct map by_inode; /* unix sockets: inode -> index of the socket; empty without any */
    struct flow_join flows;
    struct nat nat;          /* NEED_CONNTRACK */
    struct flow_sum *served; /* NEED_SERVED: see served_make(); else NULL */
};

/* `needs` are those of the request (enum need). 0, or -ENOMEM. The join refers to the snapshot by
 * index only. */
int join_make(const struct snapshot *snapshot, uint64_t needs, struct join *ret_join) MUST_CHECK;
void join_done(struct join *join);

/* Whether some processes do not show their descriptors to us. */
bool join_owners_hidden(const struct snapshot *snapshot);

/* Holder number `position` of a socket. */
const struct holder *join_holder(const struct snapshot *snapshot, const struct join *join,
                                 uint32_t socket, uint32_t position);

/* The reason in words ("time-wait", "accept-queue of nginx(1187)"), appended to `text`; nothing for
 * OWNER_FOUND. */
void join_owner_note(const struct snapshot *snapshot, const struct join *join, uint32_t socket,
                     struct buf *text);

const char *socket_direction_name(unsigned int direction);
