/* SPDX-License-Identifier: MIT */
/* Chunk: rows of numbers of some ticks, and the bytes that they are kept as. */
#pragma once

#include "base/buf.h"
#include "base/crc32.h"
#include "store/layout.h"

#include <stdint.h>

/* When this kind of fact was measured. */
struct chunk_tick {
    uint64_t time_ns;    /* CLOCK_REALTIME of its end */
    uint64_t length_ns;  /* what was measured */
    uint64_t accounting; /* enum accounting_level */
};

struct chunk {
    enum chunk_kind kind;
    bool of_seconds; /* it is of the table of seconds, and its ticks are parts of one */
    struct chunk_tick *ticks;
    uint32_t tick_count, tick_capacity;
    uint64_t *rows; /* layouts[kind].width numbers each */
    uint32_t row_count, row_capacity;
};

static inline uint64_t *chunk_row(const struct chunk *chunk, uint32_t row)
{
    return &chunk->rows[(size_t)row * layouts[chunk->kind].width];
}

/* Whether two rows are about the same thing, maybe in other ticks. */
static inline bool chunk_same_keys(const struct chunk *chunk, uint32_t a, uint32_t b)
{
    const uint64_t *left = chunk_row(chunk, a), *right = chunk_row(chunk, b);

    for (uint32_t i = 0; i < key_count(chunk->kind); i++)
        if (left[i] != right[i])
            return false;
    return true;
}

/* A zeroed row behind the last one, or NULL. */
uint64_t *chunk_add_row(struct chunk *chunk);
int chunk_add_tick(struct chunk *chunk, struct chunk_tick tick) MUST_CHECK;
/* Adds ticks and rows of another of the same kind. 0 or -ENOMEM (then it is not to be used). */
int chunk_append(struct chunk *chunk, const struct chunk *more) MUST_CHECK;
/* Sorts the rows, and makes one of those that have the same key: all other columns are added. */
void chunk_fold(struct chunk *chunk);
void chunk_clear(struct chunk *chunk);
void chunk_done(struct chunk *chunk);

struct bytes {
    const uint8_t *at, *end;
    bool bad; /* there was less than expected, or no number */
};

/* Reused from chunk to chunk. */
struct codec {
    struct crc32 crc;
    struct buf raw;
    void *compressor, *decompressor;
    /* of the chunk that is being read: */
    struct bytes columns[CHUNK_COLUMNS_MAX];
    uint64_t before[KEYS_MAX]; /* key of the last row that was taken */
    uint32_t rows_left;
};

int codec_init(struct codec *codec) MUST_CHECK;
void codec_done(struct codec *codec);

/*
 * Sorts the rows and writes them behind what `out` has:
 *
 *   u32 checksum of what follows (CRC-32), u32 length when decompressed, zstd frame of
 *   kind, number of ticks, {time (later ones: difference), length, accounting} of each, number of
 *   rows, number of columns, {length in bytes, numbers} of each column
 *
 * u32 are little-endian, numbers are LEB128. Of a key column a row has what it is more than the row
 * before, if all columns before it are equal. A column without bytes is all zero.
 */
int codec_write(struct codec *codec, struct chunk *chunk, struct buf *out) MUST_CHECK;

/* Bytes in a zstd frame behind length and checksum. */
int codec_wrap(struct codec *codec, const void *raw, size_t raw_length, struct buf *out) MUST_CHECK;

/* Reads all into the chunk. -EBADMSG: damaged, or of another kind, and the chunk is empty; -ENOMEM.
 */
int codec_read(struct codec *codec, const void *bytes, size_t length, struct chunk *chunk)
    MUST_CHECK;

/*
 * The same piece by piece, without memory for all: first the ticks, then `most` rows at a time in
 * the place of those that the chunk had. 1: there were some; 0: that was all.
 */
int codec_begin(struct codec *codec, const void *bytes, size_t length, struct chunk *chunk)
    MUST_CHECK;
int codec_next(struct codec *codec, struct chunk *chunk, uint32_t most) MUST_CHECK;

/* Numbers that may be negative, so that small ones stay small. */
static inline uint64_t zigzag(int64_t number)
{
    return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t number)
{
    return (int64_t)(number >> 1 ^ (~(number & 1) + 1));
}
