/* SPDX-License-Identifier: MIT */
/* An LZMA stream is one number between 0 and 1 (a range coder's): each decision divides what is
 * left of the range, by how likely it was until then. The decisions say for each place whether a
 * byte comes or a repetition, of which length and of which distance. */
#include "unpack/lzma.h"

#include <stdbool.h>

enum {
    SURE = 2048, /* a likelihood is of this many */
    LEARNED_BITS = 5,
    FIRST_BYTES = 5,    /* of a stream: a 0, and the first four of the number */
    LITERAL_STATES = 7, /* those after a byte */
    SHORTEST = 2,
    NEAR_SLOTS = 14, /* distances above these have bits that are as likely 0 as 1 */
    LOW_BITS = 4,    /* and these at their end */
};

struct decoder {
    const uint8_t *at, *end;
    uint32_t range, code;
    struct lzma_model *model;
    uint8_t *to;
    size_t done, size;
    unsigned state;        /* what the last decisions were */
    uint32_t distances[4]; /* less one, the last one first */
};

static void normalize(struct decoder *decoder)
{
    if (decoder->range >> 24)
        return;
    decoder->range <<= 8;
    decoder->code = decoder->code << 8 | (decoder->at < decoder->end ? *decoder->at++ : 0);
}

static unsigned take_bit(struct decoder *decoder, uint16_t *likely)
{
    uint32_t bound = (decoder->range >> 11) * *likely;
    unsigned bit = decoder->code >= bound;

    if (bit) {
        decoder->range -= bound;
        decoder->code -= bound;
        *likely -= *likely >> LEARNED_BITS;
    } else {
        decoder->range = bound;
        *likely += (SURE - *likely) >> LEARNED_BITS;
    }
    normalize(decoder);
    return bit;
}

/* Bits that are as likely 0 as 1. */
static uint32_t take_even_bits(struct decoder *decoder, unsigned count)
{
    uint32_t value = 0;

    while (count--) {
        decoder->range >>= 1;
        value <<= 1;
        if (decoder->code >= decoder->range) {
            decoder->code -= decoder->range;
            value |= 1;
        }
        normalize(decoder);
    }
    return value;
}

/* A number of `count` bits, the highest first; each has a likelihood for each way there. */
static unsigned take_number(struct decoder *decoder, uint16_t *likely, unsigned count)
{
    unsigned node = 1;

    for (unsigned i = 0; i < count; i++)
        node = node << 1 | take_bit(decoder, &likely[node]);
    return node - (1U << count);
}

/* The same, the lowest first. */
static unsigned take_reversed(struct decoder *decoder, uint16_t *likely, unsigned count)
{
    unsigned node = 1, value = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned bit = take_bit(decoder, &likely[node]);

        node = node << 1 | bit;
        value |= bit << i;
    }
    return value;
}

static void take_literal(struct decoder *decoder)
{
    unsigned before = decoder->done ? decoder->to[decoder->done - 1] : 0;
    unsigned place = decoder->done & ((1U << LZMA_LITERAL_PLACE_BITS) - 1);
    uint16_t *likely =
        decoder->model->literal[place << LZMA_LITERAL_BITS | before >> (8 - LZMA_LITERAL_BITS)];
    unsigned byte = 1;

    if (decoder->state >= LITERAL_STATES) {
        /* A repetition has ended: by the byte that would have been next, until a bit differs. */
        unsigned other = decoder->to[decoder->done - decoder->distances[0] - 1];

        while (byte < 0x100) {
            unsigned expected = other >> 7 & 1;
            unsigned bit = take_bit(decoder, &likely[(1 + expected) << 8 | byte]);

            other <<= 1;
            byte = byte << 1 | bit;
            if (bit != expected)
                break;
        }
    }
    while (byte < 0x100)
        byte = byte << 1 | take_bit(decoder, &likely[byte]);
    decoder->to[decoder->done++] = (uint8_t)byte;
    if (decoder->state < 4)
        decoder->state = 0;
    else
        decoder->state -= decoder->state < 10 ? 3 : 6;
}

static unsigned take_length(struct decoder *decoder, struct lzma_lengths *lengths, unsigned place)
{
    if (!take_bit(decoder, &lengths->is_longer[0]))
        return SHORTEST + take_number(decoder, lengths->low[place], 3);
    if (!take_bit(decoder, &lengths->is_longer[1]))
        return SHORTEST + 8 + take_number(decoder, lengths->middle[place], 3);
    return SHORTEST + 16 + take_number(decoder, lengths->high, 8);
}

static uint32_t take_distance(struct decoder *decoder, unsigned length)
{
    struct lzma_model *model = decoder->model;
    unsigned slot = take_number(decoder, model->slot[length < 6 ? length - SHORTEST : 3], 6);
    unsigned bits = (slot >> 1) - 1;
    uint32_t distance;

    if (slot < 4)
        return slot;
    distance = (2 | (slot & 1)) << bits;
    if (slot < NEAR_SLOTS)
        return distance + take_reversed(decoder, &model->near_bits[distance - slot], bits);
    distance += take_even_bits(decoder, bits - LOW_BITS) << LOW_BITS;
    return distance + take_reversed(decoder, model->low_bits, LOW_BITS);
}

/* Makes the distance that is meant the last one. */
static void choose_distance(struct decoder *decoder)
{
    struct lzma_model *model = decoder->model;
    unsigned which = 1;
    uint32_t distance;

    if (take_bit(decoder, &model->is_third[decoder->state]))
        which = 2 + take_bit(decoder, &model->is_fourth[decoder->state]);
    distance = decoder->distances[which];
    for (; which; which--)
        decoder->distances[which] = decoder->distances[which - 1];
    decoder->distances[0] = distance;
}

/* The length of a repetition, whose distance is the last one then. */
static unsigned take_match(struct decoder *decoder, unsigned place)
{
    struct lzma_model *model = decoder->model;
    bool after_literal = decoder->state < LITERAL_STATES;
    unsigned length;

    if (!take_bit(decoder, &model->is_repeated[decoder->state])) {
        for (int i = 3; i; i--)
            decoder->distances[i] = decoder->distances[i - 1];
        length = take_length(decoder, &model->new_lengths, place);
        decoder->distances[0] = take_distance(decoder, length);
        decoder->state = after_literal ? 7 : 10;
        return length;
    }
    if (take_bit(decoder, &model->is_older[decoder->state]))
        choose_distance(decoder);
    else if (!take_bit(decoder, &model->is_long[decoder->state][place])) {
        decoder->state = after_literal ? 9 : 11;
        return 1;
    }
    decoder->state = after_literal ? 8 : 11;
    return take_length(decoder, &model->repeated_lengths, place);
}

static int repeat(struct decoder *decoder, unsigned length)
{
    uint32_t distance = decoder->distances[0];

    if (distance >= decoder->done || length > decoder->size - decoder->done)
        return -1;
    for (; length; length--, decoder->done++)
        decoder->to[decoder->done] = decoder->to[decoder->done - distance - 1];
    return 0;
}

int lzma_decode(struct lzma_model *model, const uint8_t *from, size_t length, uint8_t *to,
                size_t size)
{
    struct decoder decoder = {.model = model, .to = to, .size = size, .range = UINT32_MAX};

    if (length < FIRST_BYTES || from[0])
        return -1;
    decoder.at = from + FIRST_BYTES;
    decoder.end = from + length;
    for (int i = 1; i < FIRST_BYTES; i++)
        decoder.code = decoder.code << 8 | from[i];
    for (size_t i = 0; i < sizeof(*model) / sizeof(uint16_t); i++)
        ((uint16_t *)model)[i] = SURE / 2;

    while (decoder.done < size) {
        unsigned place = decoder.done & (LZMA_PLACES - 1);

        if (!take_bit(&decoder, &model->is_match[decoder.state][place]))
            take_literal(&decoder);
        else if (repeat(&decoder, take_match(&decoder, place)) < 0)
            return -1;
    }
    return 0;
}
