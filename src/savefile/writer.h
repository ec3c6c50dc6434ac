/* SPDX-License-Identifier: MIT */
/* Writes packets, and what is noted of them, into files of pcap or pcapng, one or many in turn. */
#pragma once

#include "model/captured.h"
#include "savefile/output.h"
#include "savefile/packet_note.h"
#include "savefile/rotation.h"

#include <sys/types.h>

struct packet_writer;

/* Texts are the caller's, as long as the writer is there. */
struct packet_writer_request {
    const char *path; /* "-": the standard output */
    enum packet_format format;
    const char *application; /* that writes, for pcapng */
    struct rotation_options rotation;
    const char *command; /* run on each file but the last one; NULL: none */
    /* What an interface has by now, for the end of a pcapng file; NULL: nothing is said. */
    int (*read_counts)(void *context, uint32_t interface, struct packet_counts *ret_counts);
    void *context;
};

/* 1 where files are made in turn: the last one is full. */
#define PACKET_WRITER_FULL 1

/* Whether a file of this name is to be one of pcapng. */
enum packet_format packet_format_of(const char *path);

/* Creates the first file, of packets of `interface`. Each of these: 0, or -errno of the file that
 * packet_writer_file() names. */
int packet_writer_open(const struct packet_writer_request *request,
                       const struct packet_interface *interface, struct packet_writer **ret_writer,
                       struct buf *ret_file) MUST_CHECK;

/* Before the privileges are given up: files are that user's, and go on to be made. */
int packet_writer_delegate(struct packet_writer *writer, uid_t user, gid_t group) MUST_CHECK;

/* One more, of which the name and the description are copied; only pcapng has several.
 * -EOPNOTSUPP: pcap has not. */
int packet_writer_add_interface(struct packet_writer *writer,
                                const struct packet_interface *interface, uint32_t *ret_number)
    MUST_CHECK;

/* `note` is for pcapng. All of these may begin the next file, and return PACKET_WRITER_FULL. */
int packet_writer_put(struct packet_writer *writer, const struct captured *captured,
                      const struct packet_note *note) MUST_CHECK;
/* When there is nothing to be put: also without packets files are followed by others. */
int packet_writer_tick(struct packet_writer *writer) MUST_CHECK;
int packet_writer_wait_ms(const struct packet_writer *writer); /* until it has to, -1: never */

/* That an address was said to be of `name`: once in each file. */
int packet_writer_put_name(struct packet_writer *writer, unsigned int family,
                           const uint8_t *address, const char *name) MUST_CHECK;

/* What was put can be read from now on. An error comes again at whatever follows. */
int packet_writer_flush(struct packet_writer *writer);

/* Why the command could not be run on the last file; 0: it could. */
int packet_writer_command_error(const struct packet_writer *writer);

/* The file that is written. */
const char *packet_writer_file(struct packet_writer *writer);

int packet_writer_close(struct packet_writer *writer) MUST_CHECK; /* the error of writing */
void packet_writer_free(struct packet_writer *writer);            /* NULL is fine */
