/* SPDX-License-Identifier: MIT */
/* Packets of a pcapng file, with all that is noted of them. */
#pragma once

#include "base/cleanup.h"
#include "model/captured.h"
#include "savefile/packet_note.h"

#include <stddef.h>

struct pcapng_reader;

/* One is told of each name that the file has for an address; it is valid during the call. */
struct pcapng_names {
    void (*take)(void *context, unsigned int family, const uint8_t *address, const char *name);
    void *context;
};

/* Whether a file that begins so is a pcapng file. */
bool pcapng_begins(const uint8_t *bytes, size_t size);

/*
 * Reads from `fd`, of which the reader becomes the owner, also of a pipe; `names.take` may be NULL.
 * 0, or -ENOMEM.
 */
int pcapng_reader_open(int fd, const struct pcapng_names *names, struct pcapng_reader **ret_reader)
    MUST_CHECK;
/* The same of bytes, which stay the caller's. */
int pcapng_reader_open_bytes(const uint8_t *bytes, size_t size, const struct pcapng_names *names,
                             struct pcapng_reader **ret_reader) MUST_CHECK;
void pcapng_reader_close(struct pcapng_reader *reader); /* NULL is fine */

/*
 * 1: a packet, valid until the next call, times in nanoseconds; 0: the end, also of what can be
 * read of a file that is cut or damaged, see pcapng_reader_problem(); else an error of reading.
 * Interfaces of all sections are numbered on.
 */
int pcapng_reader_next(struct pcapng_reader *reader, struct captured *ret_captured,
                       struct packet_note *ret_note) MUST_CHECK;

/* Why there was an end; NULL: the file ended. */
const char *pcapng_reader_problem(const struct pcapng_reader *reader);

/* Those known by now; counts are what the file says so far. */
uint32_t pcapng_reader_interface_count(const struct pcapng_reader *reader);
const struct packet_interface *pcapng_reader_interface(const struct pcapng_reader *reader,
                                                       uint32_t number);
const struct packet_counts *pcapng_reader_counts(const struct pcapng_reader *reader,
                                                 uint32_t number);
