/* SPDX-License-Identifier: MIT */
/* LZMA back into bytes: what tools/pack-program has made of a program. Needs no library: it runs
 * before there is one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How the bytes were written, as in the first byte of an .lzma file; instructions of four bytes
 * each are told best by 2, 2, 2, those of any length by 3, 0, 0. */
#ifndef LZMA_LITERAL_BITS
#define LZMA_LITERAL_BITS 3 /* lc: of the byte before, how many tell the next byte */
#endif
#ifndef LZMA_LITERAL_PLACE_BITS
#define LZMA_LITERAL_PLACE_BITS 0 /* lp: of the place, how many tell the next byte */
#endif
#ifndef LZMA_PLACE_BITS
#define LZMA_PLACE_BITS 0 /* pb: of the place, how many tell whether it is a byte or a repetition */
#endif

enum {
    LZMA_STATES = 12,
    LZMA_PLACES = 1 << LZMA_PLACE_BITS,
    LZMA_LITERALS = 1 << (LZMA_LITERAL_BITS + LZMA_LITERAL_PLACE_BITS),
};

struct lzma_lengths {
    uint16_t is_longer[2];
    uint16_t low[LZMA_PLACES][8], middle[LZMA_PLACES][8], high[256];
};

/* What is learned while it is decoded: how likely a 0 is there, of 2048. */
struct lzma_model {
    uint16_t is_match[LZMA_STATES][LZMA_PLACES];
    uint16_t is_repeated[LZMA_STATES];          /* a distance that was used before... */
    uint16_t is_older[LZMA_STATES];             /* ...not the last... */
    uint16_t is_third[LZMA_STATES];             /* ...nor the one before... */
    uint16_t is_fourth[LZMA_STATES];            /* ...nor the one before that */
    uint16_t is_long[LZMA_STATES][LZMA_PLACES]; /* the last distance, and more than a byte */
    uint16_t slot[4][64], near_bits[128], low_bits[16]; /* of a new distance */
    struct lzma_lengths new_lengths, repeated_lengths;
    uint16_t literal[LZMA_LITERALS][0x300];
};

/* Decodes the raw LZMA stream at `from`, which makes `size` bytes at `to`; more, as a mark of the
 * end, is not read. `model` is room for what is learned. 0, or -1 for what cannot be right. */
int lzma_decode(struct lzma_model *model, const uint8_t *from, size_t length, uint8_t *to,
                size_t size);
