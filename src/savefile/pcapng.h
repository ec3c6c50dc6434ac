/* SPDX-License-Identifier: MIT */
/* Blocks of pcapng files: their numbers, and how each is written. */
/*
 * A file is a section header, then blocks. Each begins with its type and its length in bytes, and
 * ends with that length again; what is in it is padded to 32 bits.
 */
#pragma once

#include "base/buf.h"
#include "model/captured.h"
#include "savefile/packet_note.h"

#define PCAPNG_ORDER 0x1a2b3c4du /* as its writer has its bytes */
#define PCAPNG_NO_LENGTH UINT64_MAX

enum pcapng_block {
    PCAPNG_SECTION = 0x0a0d0d0a,
    PCAPNG_INTERFACE = 1,
    PCAPNG_OLD_PACKET = 2,
    PCAPNG_SIMPLE_PACKET = 3,
    PCAPNG_NAMES = 4,
    PCAPNG_STATISTICS = 5,
    PCAPNG_PACKET = 6,
};

/* Options of blocks: what a number means depends on the block, but for the first two. */
enum pcapng_option {
    PCAPNG_END = 0,
    PCAPNG_COMMENT = 1,
    PCAPNG_SECTION_APPLICATION = 4,
    PCAPNG_INTERFACE_NAME = 2,
    PCAPNG_INTERFACE_DESCRIPTION = 3,
    PCAPNG_INTERFACE_RESOLUTION = 9,
    PCAPNG_INTERFACE_OFFSET = 14,
    PCAPNG_PACKET_FLAGS = 2, /* the lowest two bits are enum packet_direction */
    PCAPNG_PACKET_PROCESS = 8,
    PCAPNG_STATISTICS_RECEIVED = 4,
    PCAPNG_STATISTICS_DROPPED = 5,
    PCAPNG_STATISTICS_SYSTEM_DROPPED = 7,
};

enum pcapng_name { PCAPNG_NAME_END, PCAPNG_NAME_IPV4, PCAPNG_NAME_IPV6 };

void pcapng_put_section(struct buf *out, const char *application);
void pcapng_put_interface(struct buf *out, const struct packet_interface *interface);
void pcapng_put_packet(struct buf *out, const struct packet_interface *interface,
                       const struct captured *captured, const struct packet_note *note);
/* That the address is of `name`. */
void pcapng_put_name(struct buf *out, unsigned int family, const uint8_t *address,
                     const char *name);
/* At the end: what the interface had by `time_ns`, since 1970. */
void pcapng_put_statistics(struct buf *out, uint32_t number,
                           const struct packet_interface *interface, uint64_t time_ns,
                           const struct packet_counts *counts);
