/* SPDX-License-Identifier: MIT */
/* Events: follows TCP connections, or the table of tracked ones, until it is closed. */
#pragma once

#include "model/request.h"
#include "model/snapshot.h"

struct event_source;

/* What is followed. */
enum event_subject {
    EVENTS_OF_SOCKETS,
    EVENTS_OF_RETRANSMISSIONS, /* of sockets, and each segment that is sent again */
    EVENTS_OF_CONNTRACK,       /* the table of tracked connections: see enum tracked_kind */
};

/*
 * Starts to follow, by the first of the sources that works: BPF; or the kernel's notice when a
 * socket is destroyed (sock_diag, since 4.3), which tells no more than the end of each connection.
 * `request` is borrowed: namespaces and sources of it count. Tracked connections are told of by
 * ctnetlink alone. 0, -ENOMEM, or why the last of the sources does not work.
 */
int event_source_open(const struct request *request, enum event_subject subject,
                      struct event_source **ret_source) MUST_CHECK;
void event_source_close(struct event_source *source);

/* Readable when something has happened. */
int event_source_fd(const struct event_source *source);

/* When it is to be read at the latest, also if nothing has happened. -1: then not. */
int event_source_timeout_ms(const struct event_source *source);

/*
 * Adds what has happened to an initialised snapshot, at most about `limit` events. *ret_more: there
 * was no room for all. 0 or -errno.
 */
int event_source_read(struct event_source *source, struct snapshot *snapshot, uint32_t limit,
                      bool *ret_more) MUST_CHECK;

/* Host, time, sources and notes, also of what was lost so far. 0 or -ENOMEM. */
int event_source_describe(const struct event_source *source, struct snapshot *snapshot) MUST_CHECK;

uint64_t event_source_lost(const struct event_source *source);
