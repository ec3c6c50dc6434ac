/* SPDX-License-Identifier: MIT */
/* Reads a ring buffer that BPF programs write into (BPF_MAP_TYPE_RINGBUF, since 5.8). */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

struct ring {
    int map_fd; /* borrowed; poll() it for reading */
    size_t size, page_size;
    unsigned long *consumed;       /* mapped: our own position */
    const unsigned long *produced; /* mapped: that of the programs, and behind a page the data */
};

#define RING_INIT ((struct ring){.map_fd = -1})

/* `size` as the map has it. 0 or -errno. */
int ring_open(int map_fd, size_t size, struct ring *ret_ring) MUST_CHECK;
void ring_close(struct ring *ring);

/* A record is gone after the call. A negative return ends the reading, and is returned by it. */
typedef int ring_record_fn(void *context, const void *record, size_t size);

/* All records that are there. 0, or what `fn` returned. */
int ring_read(struct ring *ring, ring_record_fn *fn, void *context) MUST_CHECK;
