/* SPDX-License-Identifier: MIT */
/* Snapshot file: what writer and reader share, and the writer. */
#include "model/snapshot_file.h"

#include "base/buf.h"
#include "model/snapshot_file_format.h"

/* Elements that are gathered before they are written: the widest field (16 bytes) times this is on
 * the stack. */
#define CHUNK_ELEMENTS 512
#define WIDEST_FIELD 16

struct writer {
    struct buf buf;
    struct crc32 crc;
    uint32_t sum; /* checksum of the section so far */
    uint64_t bytes;
};

static void put(struct writer *writer, const void *bytes, size_t count)
{
    writer->sum = crc32_add(&writer->crc, writer->sum, bytes, count);
    writer->bytes += count;
    buf_put(&writer->buf, bytes, count);
}

static void put_number(struct writer *writer, uint32_t number, size_t width)
{
    uint8_t bytes[4];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    put(writer, bytes, width);
}

static void put_name(struct writer *writer, const char *name)
{
    size_t length = strlen(name);

    put_number(writer, (uint32_t)length, 1);
    put(writer, name, length);
}

static void put_checksum(struct writer *writer)
{
    put_number(writer, writer->sum, 4);
    writer->sum = 0;
}

static void put_section_head(struct writer *writer, const char *name, uint32_t count,
                             uint16_t field_count)
{
    put_number(writer, count, 4);
    put_number(writer, field_count, 2);
    put_name(writer, name);
}

static void put_column(struct writer *writer, const struct field *field, const char *elements,
                       size_t size, uint32_t count)
{
    uint8_t chunk[CHUNK_ELEMENTS * WIDEST_FIELD];

    for (uint32_t first = 0; first < count; first += CHUNK_ELEMENTS) {
        uint32_t end = count - first > CHUNK_ELEMENTS ? first + CHUNK_ELEMENTS : count;
        uint8_t *at = chunk;

        for (uint32_t i = first; i < end; i++, at += field->width)
            field_copy(field, at, elements + i * size + field->offset);
        put(writer, chunk, (size_t)(at - chunk));
    }
}

static void put_section(struct writer *writer, const struct snapshot *snapshot,
                        const struct section *section)
{
    uint32_t count = section_count(snapshot, section);
    const char *elements = section_elements(snapshot, section);

    put_section_head(writer, section->name, count, section->field_count);
    for (unsigned int i = 0; i < section->field_count; i++) {
        put_number(writer, section->fields[i].width, 1);
        put_name(writer, section->fields[i].name);
    }
    for (unsigned int i = 0; i < section->field_count; i++)
        put_column(writer, &section->fields[i], elements, section->size, count);
    put_checksum(writer);
}

/* The lengths in the pool are in the byte order of this machine. */
static void put_strings(struct writer *writer, const struct string_pool *pool)
{
    uint32_t length, at = 0;

    put_section_head(writer, STRINGS_SECTION, pool->length, 1);
    put_number(writer, 1, 1);
    put_name(writer, "bytes");
    while (at < pool->length) {
        memcpy(&length, pool->bytes + at, sizeof(length));
        put_number(writer, length, sizeof(length));
        put(writer, pool->bytes + at + sizeof(length), (size_t)length + 1);
        at += (uint32_t)sizeof(length) + length + 1;
    }
    put_checksum(writer);
}

int snapshot_write(const struct snapshot *snapshot, int fd)
{
    struct writer writer = {.buf = BUF_SINK(fd)};
    int r;

    crc32_init(&writer.crc);
    put(&writer, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LENGTH);
    put_number(&writer, SNAPSHOT_FILE_VERSION, 2);
    put_number(&writer, SECTION_MAX + 1, 4);
    put_checksum(&writer);
    put_strings(&writer, &snapshot->strings);
    for (unsigned int i = 0; i < SECTION_MAX; i++)
        put_section(&writer, snapshot, &snapshot_sections[i]);
    r = buf_flush(&writer.buf);
    buf_done(&writer.buf);
    if (r == 0 && writer.bytes > SNAPSHOT_FILE_MAX_BYTES)
        return -EFBIG;
    return r;
}
