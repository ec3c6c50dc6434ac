/* SPDX-License-Identifier: MIT */
/* Bytes of a packet as they are: in hexadecimal, with characters beside them, or as text. */
#include "packet/hexdump.h"

#define LINE_BYTES 16

static const char digits[] = "0123456789abcdef";

/* " 4500 003c 1c46", and how wide it is. */
static uint32_t put_pairs(struct buf *out, const uint8_t *bytes, uint32_t count)
{
    uint32_t width = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (i % 2 == 0) {
            buf_byte(out, ' ');
            width++;
        }
        buf_byte(out, digits[bytes[i] >> 4]);
        buf_byte(out, digits[bytes[i] & 15]);
        width += 2;
    }
    return width;
}

static void put_characters(struct buf *out, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buf_byte(out, bytes[i] > ' ' && bytes[i] < 0x7f ? (char)bytes[i] : '.');
}

static void put_offset(struct buf *out, uint32_t offset)
{
    buf_puts(out, "0x");
    for (uint32_t limit = 0x1000; limit > 1 && offset < limit; limit >>= 4)
        buf_byte(out, '0');
    buf_hex(out, offset);
    buf_puts(out, ": ");
}

static void put_lines(struct packet *packet, const char *indent, uint32_t at, uint32_t count,
                      bool ascii)
{
    uint32_t left = packet_left(packet, at), shown = count < left ? count : left;
    struct buf *out = packet->out;

    if (packet->cut)
        return;
    for (uint32_t offset = 0; offset < shown; offset += LINE_BYTES) {
        const uint8_t *line = packet->bytes + at + offset;
        uint32_t size = shown - offset < LINE_BYTES ? shown - offset : LINE_BYTES, width;

        buf_puts(out, indent);
        put_offset(out, offset);
        width = put_pairs(out, line, size);
        if (!ascii)
            continue;
        buf_pad(out, LINE_BYTES * 5 / 2 - width + 2);
        put_characters(out, line, size);
    }
    if (shown < count)
        packet_cut(packet);
}

void hexdump_put(struct packet *packet, const char *indent, uint32_t at, uint32_t count)
{
    put_lines(packet, indent, at, count, false);
}

void hexdump_put_ascii(struct packet *packet, const char *indent, uint32_t at, uint32_t count)
{
    put_lines(packet, indent, at, count, true);
}

void hexdump_put_some(struct packet *packet, const char *indent, uint32_t at, uint32_t count)
{
    uint32_t left = packet_left(packet, at);

    put_lines(packet, indent, at, count < left ? count : left, false);
}

void hexdump_put_unknown(struct packet *packet, uint32_t at, uint32_t count)
{
    if (!packet->options->no_dump)
        hexdump_put_ascii(packet, "\n\t", at, count);
}

void hexdump_put_text(struct packet *packet, uint32_t at, uint32_t count)
{
    packet_puts(packet, "\n");
    for (uint32_t i = 0; i < count; i++) {
        uint8_t byte = packet_u8(packet, at + i);

        /* Of a line's end of two bytes only the second counts. */
        if (byte == '\r' && (i + 2 >= count || packet_u8(packet, at + i + 1) == '\n'))
            continue;
        if ((byte > ' ' && byte < 0x7f) || byte == '\t' || byte == ' ' || byte == '\n')
            buf_byte(packet->out, (char)byte);
        else
            buf_byte(packet->out, '.');
    }
}
