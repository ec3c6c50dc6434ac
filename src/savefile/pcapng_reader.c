/* SPDX-License-Identifier: MIT */
/* Packets of a pcapng file: blocks one after the other, each read whole before it is looked at. */
#include "savefile/pcapng_reader.h"

#include "base/buf.h"
#include "base/vec.h"
#include "savefile/link_type.h"
#include "savefile/pcapng.h"
#include "savefile/pcapng_cursor.h"

#include <byteswap.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#define BLOCK_MIN 12
#define BLOCK_MAX (16u << 20)
#define BUFFER_MIN 65536
#define INTERFACES_MAX 65536
#define SECOND_NS 1000000000u

struct interface {
    struct packet_interface told;
    struct packet_counts counts;
    char *name, *description; /* owned */
    uint8_t resolution;       /* of times: 10 or, with the highest bit, 2 to the power of -this */
    int64_t offset;           /* seconds to be added */
};

struct pcapng_reader {
    int fd;                /* owned; -1: all is in `window` */
    struct buf buffer;     /* of a file */
    const uint8_t *window; /* the buffer, or all the bytes there are */
    size_t at, end;        /* of the window what is not yet read */
    struct buf text;       /* a packet's comment */
    uint64_t position;     /* in the file, of the block */
    bool swapped, in_section;
    struct interface *interfaces;
    uint32_t interface_count, interface_capacity;
    uint32_t section_begin; /* the first interface of this section */
    struct pcapng_names names;
    char problem[128]; /* "": none */
};

bool pcapng_begins(const uint8_t *bytes, size_t size)
{
    uint32_t type;

    if (size < sizeof(type))
        return false;
    memcpy(&type, bytes, sizeof(type));
    return type == PCAPNG_SECTION;
}

/* Both return 0: nothing behind it can be read. */
static int damaged(struct pcapng_reader *reader, const char *what)
{
    snprintf(reader->problem, sizeof(reader->problem), "damaged at byte %" PRIu64 ": %s",
             reader->position, what);
    return 0;
}

static int cut(struct pcapng_reader *reader)
{
    snprintf(reader->problem, sizeof(reader->problem), "cut short at byte %" PRIu64,
             reader->position);
    return 0;
}

/* --- interfaces --- */

static char *copy_text(const struct pcapng_cursor *value)
{
    return strndup((const char *)value->at, pcapng_left(value));
}

static void take_interface_option(struct interface *interface, uint16_t code,
                                  struct pcapng_cursor value)
{
    switch (code) {
    case PCAPNG_INTERFACE_NAME:
        free(interface->name);
        interface->name = copy_text(&value);
        break;
    case PCAPNG_INTERFACE_DESCRIPTION:
        free(interface->description);
        interface->description = copy_text(&value);
        break;
    case PCAPNG_INTERFACE_RESOLUTION:
        if (pcapng_left(&value) == 1)
            interface->resolution = *value.at;
        break;
    case PCAPNG_INTERFACE_OFFSET:
        if (pcapng_left(&value) == 8)
            interface->offset = (int64_t)pcapng_u64(&value);
        break;
    default:
        break;
    }
}

static int take_interface(struct pcapng_reader *reader, struct pcapng_cursor *cursor)
{
    struct interface *interface;
    struct pcapng_cursor value;
    uint16_t code;

    if (reader->interface_count == INTERFACES_MAX)
        return damaged(reader, "too many interfaces");
    if (VEC_RESERVE(&reader->interfaces, &reader->interface_capacity, reader->interface_count, 1) <
        0)
        return -ENOMEM;
    interface = &reader->interfaces[reader->interface_count];
    *interface = (struct interface){.resolution = 6};
    interface->told.link_type = link_type_from_file(pcapng_u16(cursor));
    (void)pcapng_u16(cursor);
    interface->told.snapshot_length = pcapng_u32(cursor);
    if (cursor->failed)
        return damaged(reader, "an interface is too short");
    reader->interface_count++;
    while (pcapng_option(cursor, &code, &value))
        take_interface_option(interface, code, value);
    interface->told.name = interface->name;
    interface->told.description = interface->description;
    interface->told.nanoseconds = true;
    return 1;
}

/* The interface that this section calls `number`; NULL: there is none. */
static struct interface *find_interface(struct pcapng_reader *reader, uint32_t number)
{
    if (number >= reader->interface_count - reader->section_begin)
        return NULL;
    return &reader->interfaces[reader->section_begin + number];
}

static int take_statistics(struct pcapng_reader *reader, struct pcapng_cursor *cursor)
{
    struct interface *interface = find_interface(reader, pcapng_u32(cursor));
    struct pcapng_cursor value;
    uint16_t code;

    (void)pcapng_u64(cursor);
    if (cursor->failed || !interface)
        return damaged(reader, "counts of an interface that is not there");
    while (pcapng_option(cursor, &code, &value)) {
        if (pcapng_left(&value) != 8)
            continue;
        if (code == PCAPNG_STATISTICS_RECEIVED)
            interface->counts.received = pcapng_u64(&value);
        else if (code == PCAPNG_STATISTICS_DROPPED)
            interface->counts.dropped_by_interface = pcapng_u64(&value);
        else if (code == PCAPNG_STATISTICS_SYSTEM_DROPPED)
            interface->counts.dropped_by_kernel = pcapng_u64(&value);
    }
    return 1;
}

/* --- names --- */

static void take_name(struct pcapng_reader *reader, uint16_t type, struct pcapng_cursor *record)
{
    bool v4 = type == PCAPNG_NAME_IPV4;
    const uint8_t *address, *end;

    if ((!v4 && type != PCAPNG_NAME_IPV6) || !reader->names.take)
        return;
    address = pcapng_take(record, v4 ? 4 : 16);
    while (address && pcapng_left(record) &&
           (end = memchr(record->at, '\0', pcapng_left(record)))) {
        if (end != record->at)
            reader->names.take(reader->names.context, v4 ? AF_INET : AF_INET6, address,
                               (const char *)record->at);
        record->at = end + 1;
    }
}

static int take_names(struct pcapng_reader *reader, struct pcapng_cursor *cursor)
{
    struct pcapng_cursor record;
    uint16_t type;

    while (pcapng_option(cursor, &type, &record))
        take_name(reader, type, &record);
    return cursor->failed ? damaged(reader, "a name is too long") : 1;
}

/* --- packets --- */

static void set_time(const struct interface *interface, uint64_t ticks, struct captured *captured)
{
    uint8_t exponent = interface->resolution & 0x7f;
    unsigned __int128 second = 1, fraction;

    if (interface->resolution & 0x80)
        second <<= exponent;
    else
        for (uint8_t i = 0; i < exponent && second <= UINT64_MAX; i++)
            second *= 10;
    fraction = ticks % second;
    if (second > UINT64_MAX) /* it is less than a second, which has more parts than can be said */
        fraction = 0;
    captured->seconds = (int64_t)((uint64_t)(ticks / second) + (uint64_t)interface->offset);
    captured->fraction = (uint32_t)(fraction * SECOND_NS / second);
}

static void take_packet_option(struct pcapng_reader *reader, uint16_t code,
                               struct pcapng_cursor value, struct packet_note *note)
{
    if (code == PCAPNG_COMMENT && !note->comment) {
        buf_reset(&reader->text);
        buf_put(&reader->text, value.at, pcapng_left(&value));
        note->comment = buf_string(&reader->text);
    } else if (code == PCAPNG_PACKET_FLAGS && pcapng_left(&value) == 4) {
        uint32_t direction = pcapng_u32(&value) & 3;

        note->direction =
            direction <= PACKET_OUT ? (enum packet_direction)direction : PACKET_DIRECTION_UNKNOWN;
    } else if (code == PCAPNG_PACKET_PROCESS && pcapng_left(&value) == 8) {
        note->pid = pcapng_u32(&value);
        note->tid = pcapng_u32(&value);
    }
}

static int set_packet(struct pcapng_reader *reader, struct pcapng_cursor *cursor, uint32_t number,
                      struct captured *captured, struct packet_note *ret_note)
{
    struct packet_note note = {.interface = reader->section_begin + number};
    struct pcapng_cursor bytes = pcapng_padded(cursor, captured->captured), value;
    uint16_t code;

    if (bytes.failed)
        return damaged(reader, "a packet is longer than its block");
    captured->bytes = bytes.at;
    while (pcapng_option(cursor, &code, &value))
        take_packet_option(reader, code, value, &note);
    *ret_note = note;
    return 2;
}

static int take_packet(struct pcapng_reader *reader, struct pcapng_cursor *cursor, bool old,
                       struct captured *captured, struct packet_note *note)
{
    uint32_t number = old ? pcapng_u16(cursor) : pcapng_u32(cursor);
    const struct interface *interface;
    uint64_t ticks;

    if (old)
        (void)pcapng_u16(cursor); /* how many were dropped */
    ticks = (uint64_t)pcapng_u32(cursor) << 32;
    ticks |= pcapng_u32(cursor);
    captured->captured = pcapng_u32(cursor);
    captured->length = pcapng_u32(cursor);
    interface = find_interface(reader, number);
    if (cursor->failed || !interface)
        return damaged(reader, "a packet of an interface that is not there");
    set_time(interface, ticks, captured);
    return set_packet(reader, cursor, number, captured, note);
}

static int take_simple_packet(struct pcapng_reader *reader, struct pcapng_cursor *cursor,
                              struct captured *captured, struct packet_note *note)
{
    const struct interface *interface = find_interface(reader, 0);
    uint32_t limit;

    captured->length = pcapng_u32(cursor);
    if (cursor->failed || !interface)
        return damaged(reader, "a packet of an interface that is not there");
    limit = interface->told.snapshot_length;
    captured->captured = limit && limit < captured->length ? limit : captured->length;
    captured->seconds = 0;
    captured->fraction = 0;
    return set_packet(reader, cursor, 0, captured, note);
}

/* --- blocks --- */

/* Reads more into the window, which has room for `count` bytes then. 1; 0: the file ends. */
static int refill(struct pcapng_reader *reader, size_t count)
{
    struct buf *buffer = &reader->buffer;
    ssize_t got;

    if (reader->fd < 0)
        return 0;
    if (reader->at > 0)
        memmove(buffer->data, buffer->data + reader->at, reader->end - reader->at);
    reader->end -= reader->at;
    reader->at = 0;
    buffer->length = 0;
    if (!buf_reserve(buffer, count > BUFFER_MIN ? count : BUFFER_MIN))
        return -ENOMEM;
    do
        got = read(reader->fd, buffer->data + reader->end, buffer->capacity - reader->end);
    while (got < 0 && errno == EINTR);
    reader->window = (const uint8_t *)buffer->data;
    reader->end += got > 0 ? (size_t)got : 0;
    return got < 0 ? -errno : got > 0;
}

/* 1: there are `count` bytes; 0: the file ends before. */
static int need(struct pcapng_reader *reader, size_t count)
{
    int r = 1;

    while (r > 0 && reader->end - reader->at < count)
        r = refill(reader, count);
    return r;
}

/* Of a section the byte order says how its length is to be read. */
static int begin_section(struct pcapng_reader *reader, struct pcapng_cursor cursor)
{
    uint32_t order;

    (void)pcapng_take(&cursor, 4);
    cursor.swapped = false;
    order = pcapng_u32(&cursor);
    if (order != PCAPNG_ORDER && order != bswap_32(PCAPNG_ORDER))
        return damaged(reader, "a section without a byte order");
    reader->swapped = order != PCAPNG_ORDER;
    reader->section_begin = reader->interface_count;
    reader->in_section = true;
    return 1;
}

static struct pcapng_cursor window_cursor(const struct pcapng_reader *reader, size_t count)
{
    const uint8_t *at = reader->window + reader->at;

    return (struct pcapng_cursor){at, at + count, reader->swapped, false};
}

/* What is in the next block; 0: there is none. */
static int next_block(struct pcapng_reader *reader, uint32_t *ret_type,
                      struct pcapng_cursor *ret_content)
{
    struct pcapng_cursor head;
    uint32_t type, length;
    int r = need(reader, BLOCK_MIN);

    if (r <= 0)
        return r < 0 || reader->at == reader->end ? r : cut(reader);
    head = window_cursor(reader, BLOCK_MIN);
    type = pcapng_u32(&head);
    if (type == PCAPNG_SECTION && begin_section(reader, head) <= 0)
        return 0;
    if (!reader->in_section)
        return damaged(reader, "it does not begin with a section");
    head.swapped = reader->swapped;
    length = pcapng_u32(&head);
    if (length < BLOCK_MIN || length % 4 || length > BLOCK_MAX)
        return damaged(reader, "a block of a length that cannot be");
    r = need(reader, length);
    if (r <= 0)
        return r < 0 ? r : cut(reader);
    *ret_content = window_cursor(reader, length - 4);
    head = (struct pcapng_cursor){ret_content->end, ret_content->end + 4, reader->swapped, false};
    if (pcapng_u32(&head) != length)
        return damaged(reader, "a block whose two lengths differ");
    (void)pcapng_take(ret_content, 8);
    *ret_type = type;
    reader->at += length;
    reader->position += length;
    return 1;
}

static int take_section(struct pcapng_reader *reader, struct pcapng_cursor *cursor)
{
    uint16_t major;

    (void)pcapng_u32(cursor);
    major = pcapng_u16(cursor);
    return cursor->failed || major != 1 ? damaged(reader, "a section of another version") : 1;
}

/* 2: it is a packet; 1: something else; 0: it is damaged. */
static int take_block(struct pcapng_reader *reader, uint32_t type, struct pcapng_cursor *cursor,
                      struct captured *captured, struct packet_note *note)
{
    switch (type) {
    case PCAPNG_SECTION:
        return take_section(reader, cursor);
    case PCAPNG_INTERFACE:
        return take_interface(reader, cursor);
    case PCAPNG_NAMES:
        return take_names(reader, cursor);
    case PCAPNG_STATISTICS:
        return take_statistics(reader, cursor);
    case PCAPNG_PACKET:
    case PCAPNG_OLD_PACKET:
        return take_packet(reader, cursor, type == PCAPNG_OLD_PACKET, captured, note);
    case PCAPNG_SIMPLE_PACKET:
        return take_simple_packet(reader, cursor, captured, note);
    default:
        return 1;
    }
}

int pcapng_reader_next(struct pcapng_reader *reader, struct captured *ret_captured,
                       struct packet_note *ret_note)
{
    struct captured captured;
    struct pcapng_cursor content;
    uint32_t type = 0;
    int r = reader->problem[0] ? 0 : 1;

    while (r == 1) {
        r = next_block(reader, &type, &content);
        if (r == 1)
            r = take_block(reader, type, &content, &captured, ret_note);
    }
    if (r == 2)
        *ret_captured = captured;
    return r == 2 ? 1 : r;
}

/* --- the whole --- */

int pcapng_reader_open(int fd, const struct pcapng_names *names, struct pcapng_reader **ret_reader)
{
    struct pcapng_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return -ENOMEM;
    reader->fd = fd;
    reader->buffer = reader->text = BUF_INIT;
    reader->names = *names;
    *ret_reader = reader;
    return 0;
}

int pcapng_reader_open_bytes(const uint8_t *bytes, size_t size, const struct pcapng_names *names,
                             struct pcapng_reader **ret_reader)
{
    int r = pcapng_reader_open(-1, names, ret_reader);

    if (r == 0) {
        (*ret_reader)->window = bytes;
        (*ret_reader)->end = size;
    }
    return r;
}

void pcapng_reader_close(struct pcapng_reader *reader)
{
    if (!reader)
        return;
    for (uint32_t i = 0; i < reader->interface_count; i++) {
        free(reader->interfaces[i].name);
        free(reader->interfaces[i].description);
    }
    free(reader->interfaces);
    buf_done(&reader->buffer);
    buf_done(&reader->text);
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader);
}

const char *pcapng_reader_problem(const struct pcapng_reader *reader)
{
    return reader->problem[0] ? reader->problem : NULL;
}

uint32_t pcapng_reader_interface_count(const struct pcapng_reader *reader)
{
    return reader->interface_count;
}

const struct packet_interface *pcapng_reader_interface(const struct pcapng_reader *reader,
                                                       uint32_t number)
{
    return &reader->interfaces[number].told;
}

const struct packet_counts *pcapng_reader_counts(const struct pcapng_reader *reader,
                                                 uint32_t number)
{
    return &reader->interfaces[number].counts;
}
