/* SPDX-License-Identifier: MIT */
/* Blocks of pcapng files, as they are written: in the byte order of this machine. */
#include "savefile/pcapng.h"

#include "savefile/link_type.h"

#include <sys/socket.h>

#define TEXT_MAX 1024 /* of a name or a comment; more is cut off */
#define OPTION_HEAD 4

static void put_u16(struct buf *out, uint16_t number)
{
    buf_put(out, &number, sizeof(number));
}

static void put_u32(struct buf *out, uint32_t number)
{
    buf_put(out, &number, sizeof(number));
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

static size_t padded(size_t size)
{
    return size + (-size & 3);
}

static char *write_padded(char *at, const void *bytes, size_t size)
{
    if (size & 3)
        memset(at + (size & ~(size_t)3), 0, 4);
    if (size)
        memcpy(at, bytes, size);
    return at + padded(size);
}

static char *write_option(char *at, enum pcapng_option option, const void *bytes, size_t size)
{
    const uint16_t head[] = {(uint16_t)option, (uint16_t)size};

    memcpy(at, head, OPTION_HEAD);
    return write_padded(at + OPTION_HEAD, bytes, size);
}

static void put_option(struct buf *out, enum pcapng_option option, const void *bytes, size_t size)
{
    size_t whole = OPTION_HEAD + padded(size);
    char *at = buf_reserve(out, whole);

    if (at) {
        (void)write_option(at, option, bytes, size);
        out->length += whole;
    }
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

/* --- a packet: into room that is there, as there are many --- */

/* Bytes of what is noted: options and their end; 0: nothing is. */
static size_t note_size(const struct packet_note *note, size_t comment)
{
    size_t size = 0;

    if (note->direction)
        size += OPTION_HEAD + sizeof(uint32_t);
    if (note->pid)
        size += OPTION_HEAD + 2 * sizeof(uint32_t);
    if (comment)
        size += OPTION_HEAD + padded(comment);
    return size ? size + OPTION_HEAD : 0;
}

static char *write_note(char *at, const struct packet_note *note, size_t comment)
{
    const uint32_t flags = note->direction, process[] = {note->pid, note->tid};

    if (flags)
        at = write_option(at, PCAPNG_PACKET_FLAGS, &flags, sizeof(flags));
    if (note->pid)
        at = write_option(at, PCAPNG_PACKET_PROCESS, process, sizeof(process));
    if (comment)
        at = write_option(at, PCAPNG_COMMENT, note->comment, comment);
    return flags || note->pid || comment ? write_option(at, PCAPNG_END, NULL, 0) : at;
}

void pcapng_put_packet(struct buf *out, const struct packet_interface *interface,
                       const struct captured *captured, const struct packet_note *note)
{
    uint64_t ticks = (uint64_t)captured->seconds * (interface->nanoseconds ? 1000000000 : 1000000) +
                     captured->fraction;
    uint32_t head[] = {PCAPNG_PACKET,   0,
                       note->interface, (uint32_t)(ticks >> 32),
                       (uint32_t)ticks, captured->captured,
                       captured->length};
    size_t comment = note->comment ? strnlen(note->comment, TEXT_MAX) : 0,
           size = sizeof(head) + padded(captured->captured) + note_size(note, comment) +
                  sizeof(uint32_t);
    char *at = buf_reserve(out, size);

    if (!at)
        return;
    head[1] = (uint32_t)size;
    memcpy(at, head, sizeof(head));
    at = write_padded(at + sizeof(head), captured->bytes, captured->captured);
    at = write_note(at, note, comment);
    memcpy(at, &head[1], sizeof(head[1]));
    out->length += size;
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
