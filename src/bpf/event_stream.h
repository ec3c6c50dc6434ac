/* SPDX-License-Identifier: MIT */
/* Event stream: loads the programs that follow TCP connections, and reads what they tell. */
#pragma once

#include "base/cleanup.h"
#include "bpf/event_record.h"
#include "bpf/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Loaded programs with their buffer. Nothing of it outlives the process. */
struct event_stream {
    void *skeleton; /* owned; NULL when closed */
    bool with_use;  /* which of the two skeletons it is: also sending and receiving is followed */
    struct ring ring;
    int holders_fd;                /* program of the iterator; owned by the skeleton */
    struct event_control *control; /* shared with the programs; owned by the skeleton */
};

#define EVENT_STREAM_INIT ((struct event_stream){.ring = RING_INIT, .holders_fd = -1})

/* A negative return ends the reading and is returned by it. */
typedef int event_record_fn(void *context, const struct event_record *record);

/*
 * Loads and attaches the programs: from now on events are in the buffer. `told`: what the
 * programs are told from the beginning. `retransmits`: each retransmission is an event too. 0 or
 * -errno as the kernel gave it.
 */
int event_stream_open(struct event_stream *stream, const struct event_control *told,
                      bool retransmits) MUST_CHECK;
void event_stream_close(struct event_stream *stream);

/*
 * Tells the programs who holds the sockets that are there already; events before this have fewer
 * owners. 0 or -errno.
 */
int event_stream_take_holders(const struct event_stream *stream) MUST_CHECK;

/* Calls `fn` for at most `limit` records of the buffer. The number of them, or what `fn` returned.
 */
int event_stream_read(struct event_stream *stream, uint32_t limit, event_record_fn *fn,
                      void *context) MUST_CHECK;

/* Events for which there was no room, so far. */
uint64_t event_stream_lost(const struct event_stream *stream);
