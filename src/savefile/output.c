/* SPDX-License-Identifier: MIT */
/* A file that is written in whole packets. */
#include "savefile/output.h"

#include "savefile/pcap_file.h"

#define FLUSH_BYTES 16384

void output_begin(struct output *output, enum packet_format format, int fd)
{
    output->fd = fd;
    output->format = format;
    output->written = 0;
}

/* The length of the packet or block at `at`. */
static size_t length_at(enum packet_format format, const char *at)
{
    struct pcap_file_record record;
    uint32_t block[2];

    if (format == PACKET_FORMAT_PCAPNG) {
        memcpy(block, at, sizeof(block));
        return block[1];
    }
    memcpy(&record, at, sizeof(record));
    return sizeof(record) + record.captured;
}

/* How many of the first `count` bytes of the buffer are of packets that are whole in them. */
static size_t whole_bytes(const struct output *output, size_t count)
{
    size_t whole = 0, next;

    while (whole < count) {
        next = whole + length_at(output->format, output->buffer.data + whole);
        if (next > count)
            break;
        whole = next;
    }
    return whole;
}

/* The bytes that could be written; less than `count`: errno says why. */
static size_t write_some(int fd, const char *bytes, size_t count)
{
    size_t at = 0;

    while (at < count) {
        ssize_t written = write(fd, bytes + at, count - at);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            break;
        at += (size_t)written;
    }
    return at;
}

int output_flush(struct output *output)
{
    struct buf *buffer = &output->buffer;
    size_t written;

    if (!output->error)
        output->error = buffer->error;
    if (output->error || buffer->length == 0)
        return output->error;
    written = write_some(output->fd, buffer->data, buffer->length);
    if (written < buffer->length) {
        output->error = -errno;
        /* A part of a packet is taken back, but from a pipe. Where the file's header itself found
         * no room (it is put alone), nothing is taken back. */
        if (output->written > 0)
            (void)!ftruncate(output->fd, (off_t)(output->written + whole_bytes(output, written)));
        return output->error;
    }
    output->written += written;
    buf_reset(buffer);
    return 0;
}

int output_added(struct output *output)
{
    if (output->error || output->buffer.error || output->buffer.length >= FLUSH_BYTES)
        return output_flush(output);
    return 0;
}

int output_end(struct output *output)
{
    int r = output->fd >= 0 ? output_flush(output) : 0;

    if (output->fd >= 0 && close(output->fd) < 0 && r == 0)
        r = -errno;
    output->fd = -1;
    return r;
}

void output_done(struct output *output)
{
    (void)output_end(output);
    buf_done(&output->buffer);
    *output = OUTPUT_NONE;
}
