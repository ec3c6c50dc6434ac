/* SPDX-License-Identifier: MIT */
/* Blocks of pcapng files, as they are written: in the byte order of this machine. */
#include "savefile/pcapng.h"

#include "savefile/link_type.h"

#include <sys/socket.h>

#define TEXT_MAX 1024 /* of a name or a comment; more is cut off */

static void put_u16(struct buf *out, uint16_t number)
{
    buf_put(out, &number, sizeof(number));
}

static void put_u32(struct buf *out, uint32_t number)
{
    buf_put(out, &number, sizeof(number));
}

static void put_padded(struct buf *out, const void *bytes, size_t size)
{
    static const uint8_t zeros[4];

    buf_put(out, bytes, size);
    buf_put(out, zeros, -size & 3);
}

/* Returns where the block begins, for end_block(). */
static size_t begin_block(struct buf *out, enum pcapng_block type)
{
    size_t begin = out->length;

    put_u32(out, type);
    put_u32(out, 0);
    return begin;
}

static void end_block(struct buf *out, size_t begin)
{
    uint32_t length = (uint32_t)(out->length - begin) + 4;

    put_u32(out, length);
    if (!out->error)
        memcpy(out->data + begin + 4, &length, sizeof(length));
}

static void put_option(struct buf *out, enum pcapng_option option, const void *bytes, size_t size)
{
    put_u16(out, (uint16_t)option);
    put_u16(out, (uint16_t)size);
    put_padded(out, bytes, size);
}

static void put_text(struct buf *out, enum pcapng_option option, const char *text)
{
    if (text && *text)
        put_option(out, option, text, strnlen(text, TEXT_MAX));
}

static void put_time(struct buf *out, uint64_t ticks)
{
    put_u32(out, (uint32_t)(ticks >> 32));
    put_u32(out, (uint32_t)ticks);
}

void pcapng_put_section(struct buf *out, const char *application)
{
    size_t begin = begin_block(out, PCAPNG_SECTION);
    uint64_t length = PCAPNG_NO_LENGTH;

    put_u32(out, PCAPNG_ORDER);
    put_u16(out, 1); /* the version, 1.0 */
    put_u16(out, 0);
    buf_put(out, &length, sizeof(length));
    put_text(out, PCAPNG_SECTION_APPLICATION, application);
    put_u32(out, PCAPNG_END);
    end_block(out, begin);
}

void pcapng_put_interface(struct buf *out, const struct packet_interface *interface)
{
    size_t begin = begin_block(out, PCAPNG_INTERFACE);
    uint8_t digits = interface->nanoseconds ? 9 : 6;

    put_u16(out, link_type_to_file(interface->link_type));
    put_u16(out, 0);
    put_u32(out, interface->snapshot_length);
    put_text(out, PCAPNG_INTERFACE_NAME, interface->name);
    put_text(out, PCAPNG_INTERFACE_DESCRIPTION, interface->description);
    put_option(out, PCAPNG_INTERFACE_RESOLUTION, &digits, 1);
    put_u32(out, PCAPNG_END);
    end_block(out, begin);
}

static void put_note(struct buf *out, const struct packet_note *note)
{
    uint32_t flags = note->direction, process[] = {note->pid, note->tid};

    if (!flags && !note->pid && !note->comment)
        return;
    if (flags)
        put_option(out, PCAPNG_PACKET_FLAGS, &flags, sizeof(flags));
    if (note->pid)
        put_option(out, PCAPNG_PACKET_PROCESS, process, sizeof(process));
    put_text(out, PCAPNG_COMMENT, note->comment);
    put_u32(out, PCAPNG_END);
}

void pcapng_put_packet(struct buf *out, const struct packet_interface *interface,
                       const struct captured *captured, const struct packet_note *note)
{
    uint64_t second = interface->nanoseconds ? 1000000000 : 1000000;
    size_t begin = begin_block(out, PCAPNG_PACKET);

    put_u32(out, note->interface);
    put_time(out, (uint64_t)captured->seconds * second + captured->fraction);
    put_u32(out, captured->captured);
    put_u32(out, captured->length);
    put_padded(out, captured->bytes, captured->captured);
    put_note(out, note);
    end_block(out, begin);
}

void pcapng_put_name(struct buf *out, unsigned int family, const uint8_t *address, const char *name)
{
    size_t begin = begin_block(out, PCAPNG_NAMES), size = family == AF_INET ? 4 : 16;
    size_t length = strnlen(name, TEXT_MAX);
    static const uint8_t zeros[4];

    put_u16(out, family == AF_INET ? PCAPNG_NAME_IPV4 : PCAPNG_NAME_IPV6);
    put_u16(out, (uint16_t)(size + length + 1));
    buf_put(out, address, size);
    buf_put(out, name, length);
    buf_put(out, zeros, 1 + (-(size + length + 1) & 3));
    put_u32(out, PCAPNG_NAME_END);
    end_block(out, begin);
}

void pcapng_put_statistics(struct buf *out, uint32_t number,
                           const struct packet_interface *interface, uint64_t time_ns,
                           const struct packet_counts *counts)
{
    size_t begin = begin_block(out, PCAPNG_STATISTICS);

    put_u32(out, number);
    put_time(out, interface->nanoseconds ? time_ns : time_ns / 1000);
    put_option(out, PCAPNG_STATISTICS_RECEIVED, &counts->received, sizeof(counts->received));
    put_option(out, PCAPNG_STATISTICS_DROPPED, &counts->dropped_by_interface,
               sizeof(counts->dropped_by_interface));
    put_option(out, PCAPNG_STATISTICS_SYSTEM_DROPPED, &counts->dropped_by_kernel,
               sizeof(counts->dropped_by_kernel));
    put_u32(out, PCAPNG_END);
    end_block(out, begin);
}
