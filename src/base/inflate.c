/* SPDX-License-Identifier: MIT */
/* DEFLATE, a bit at a time: small rather than fast, as what it reads are some ten thousand bytes.
 */
#include "base/inflate.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LENGTH_MAX 15 /* bits of a code */
#define LITERALS 288
#define DISTANCES 30
#define END_OF_BLOCK 256

struct reader {
    const uint8_t *at, *end;
    uint32_t bits; /* those of the last byte that are not read yet, the next one lowest */
    unsigned int bit_count;
    bool ended; /* something was read behind the end */
    uint8_t *bytes;
    size_t size, done;
};

/* A canonical Huffman code: how many symbols have codes of each length, and all in order. */
struct code {
    uint16_t count[LENGTH_MAX + 1];
    uint16_t symbols[LITERALS];
};

/* At most 16. Behind the end all are 0, and it is remembered. */
static unsigned int read_bits(struct reader *reader, unsigned int wanted)
{
    unsigned int value;

    while (reader->bit_count < wanted) {
        if (reader->at == reader->end)
            reader->ended = true;
        else
            reader->bits |= (uint32_t)*reader->at++ << reader->bit_count;
        reader->bit_count += 8;
    }
    value = reader->bits & ((1U << wanted) - 1);
    reader->bits >>= wanted;
    reader->bit_count -= wanted;
    return value;
}

static void code_make(struct code *code, const uint8_t *lengths, unsigned int symbols)
{
    uint16_t next[LENGTH_MAX + 1] = {0};

    memset(code->count, 0, sizeof(code->count));
    for (unsigned int i = 0; i < symbols; i++)
        code->count[lengths[i]]++;
    code->count[0] = 0;
    for (unsigned int length = 1; length < LENGTH_MAX; length++)
        next[length + 1] = (uint16_t)(next[length] + code->count[length]);
    for (unsigned int i = 0; i < symbols; i++)
        if (lengths[i])
            code->symbols[next[lengths[i]]++] = (uint16_t)i;
}

/* The next symbol or -EBADMSG. Codes of one length are numbers in a row. */
static int read_symbol(struct reader *reader, const struct code *code)
{
    int value = 0, first = 0, index = 0;

    for (unsigned int length = 1; length <= LENGTH_MAX; length++) {
        int count = code->count[length], place;

        value |= (int)read_bits(reader, 1);
        place = value - first;
        if (place < count) /* below 0: there are more codes of a length than can be */
            return place < 0 || reader->ended ? -EBADMSG : code->symbols[index + place];
        index += count;
        first = (first + count) * 2;
        value *= 2;
    }
    return -EBADMSG;
}

/* The lengths of both codes are written by a third one, whose lengths come in this order. */
static int read_codes(struct reader *reader, struct code *literals, struct code *distances)
{
    static const uint8_t order[] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS + 32] = {0};
    unsigned int literal_count = read_bits(reader, 5) + 257,
                 total = literal_count + read_bits(reader, 5) + 1;
    unsigned int count = read_bits(reader, 4) + 4;

    for (unsigned int i = 0; i < count; i++)
        lengths[order[i]] = (uint8_t)read_bits(reader, 3);
    code_make(literals, lengths, sizeof(order));
    memset(lengths, 0, sizeof(order));
    for (unsigned int i = 0; i < total;) {
        int symbol = read_symbol(reader, literals);
        unsigned int times = 1;
        uint8_t length = (uint8_t)symbol;

        if (symbol < 0 || (symbol == 16 && i == 0))
            return -EBADMSG;
        if (symbol == 16) {
            length = lengths[i - 1];
            times = 3 + read_bits(reader, 2);
        } else if (symbol > 16) {
            length = 0;
            times = symbol == 17 ? 3 + read_bits(reader, 3) : 11 + read_bits(reader, 7);
        }
        if (times > total - i)
            return -EBADMSG;
        memset(lengths + i, length, times);
        i += times;
    }
    code_make(literals, lengths, literal_count);
    code_make(distances, lengths + literal_count, total - literal_count);
    return 0;
}

static void fixed_codes(struct code *literals, struct code *distances)
{
    uint8_t lengths[LITERALS];

    memset(lengths, 8, sizeof(lengths));
    memset(lengths + 144, 9, 256 - 144);
    memset(lengths + 256, 7, 280 - 256);
    code_make(literals, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    code_make(distances, lengths, DISTANCES);
}

/* Bytes that were there before, again; they may overlap what they make. */
static int repeat(struct reader *reader, size_t length, size_t distance)
{
    if (distance > reader->done || length > reader->size - reader->done)
        return -EBADMSG;
    for (; length > 0; length--, reader->done++)
        reader->bytes[reader->done] = reader->bytes[reader->done - distance];
    return 0;
}

/* Values that share a symbol are told apart by more bits: of every `step` symbols one more. */
static unsigned int read_value(struct reader *reader, unsigned int symbol, unsigned int step)
{
    unsigned int more = symbol < 2 * step ? 0 : symbol / step - 1;

    return (more ? (step + symbol % step) << more : symbol) + read_bits(reader, more);
}

static int read_pair(struct reader *reader, unsigned int symbol, const struct code *distances)
{
    unsigned int length = symbol == 28 ? 255 : read_value(reader, symbol, 4);
    int distance = read_symbol(reader, distances);

    if (symbol > 28 || distance < 0 || distance >= DISTANCES)
        return -EBADMSG;
    return repeat(reader, length + 3, read_value(reader, (unsigned int)distance, 2) + 1);
}

static int read_compressed(struct reader *reader, bool fixed)
{
    struct code literals, distances;
    int symbol, r = 0;

    if (fixed)
        fixed_codes(&literals, &distances);
    else
        r = read_codes(reader, &literals, &distances);
    while (r == 0 && (symbol = read_symbol(reader, &literals)) != END_OF_BLOCK) {
        if (symbol > END_OF_BLOCK)
            r = read_pair(reader, (unsigned int)symbol - END_OF_BLOCK - 1, &distances);
        else if (symbol < 0 || reader->done == reader->size)
            r = -EBADMSG;
        else
            reader->bytes[reader->done++] = (uint8_t)symbol;
    }
    return r;
}

static int read_stored(struct reader *reader)
{
    unsigned int length, inverted;

    reader->bits = reader->bit_count = 0;
    length = read_bits(reader, 16);
    inverted = read_bits(reader, 16);
    if ((length ^ inverted) != 0xffff || length > (size_t)(reader->end - reader->at) ||
        length > reader->size - reader->done)
        return -EBADMSG;
    memcpy(reader->bytes + reader->done, reader->at, length);
    reader->done += length;
    reader->at += length;
    return 0;
}

int inflate_into(const uint8_t *packed, size_t packed_size, uint8_t *bytes, size_t size)
{
    struct reader reader = {
        .at = packed, .end = packed + packed_size, .bytes = bytes, .size = size};
    bool last = false;
    int r = 0;

    while (r == 0 && !last) {
        unsigned int kind;

        last = read_bits(&reader, 1);
        kind = read_bits(&reader, 2);
        r = kind == 0  ? read_stored(&reader)
            : kind < 3 ? read_compressed(&reader, kind == 1)
                       : -EBADMSG;
    }
    return r == 0 && !reader.ended && reader.done == size ? 0 : -EBADMSG;
}
