/* SPDX-License-Identifier: MIT */
/* Chunk: rows of numbers, sorted, as columns of variable-length numbers in a zstd frame. */
#include "store/chunk.h"

#include "base/vec.h"

#include <stdlib.h>
#include <zstd.h>

#define LEVEL 3 /* of zstd: higher ones gain a fiftieth, and cost five times the time */
#define HEAD_BYTES 8
#define RAW_BYTES_MAX (UINT32_C(1) << 28)
#define NUMBER_BYTES_MAX 10

static int reserve_rows(struct chunk *chunk, uint32_t more)
{
    return vec_reserve((void **)&chunk->rows, &chunk->row_capacity, chunk->row_count, more,
                       layouts[chunk->kind].width * sizeof(*chunk->rows));
}

uint64_t *chunk_add_row(struct chunk *chunk)
{
    uint64_t *row;

    if (reserve_rows(chunk, 1) < 0)
        return NULL;
    row = chunk_row(chunk, chunk->row_count++);
    memset(row, 0, layouts[chunk->kind].width * sizeof(*row));
    return row;
}

int chunk_add_tick(struct chunk *chunk, struct chunk_tick tick)
{
    int r = VEC_RESERVE(&chunk->ticks, &chunk->tick_capacity, chunk->tick_count, 1);

    if (r == 0)
        chunk->ticks[chunk->tick_count++] = tick;
    return r;
}

int chunk_append(struct chunk *chunk, const struct chunk *more)
{
    uint32_t width = layouts[chunk->kind].width, column = tick_column(chunk->kind);
    uint32_t ticks = chunk->tick_count;
    uint64_t *row;
    int r = 0;

    for (uint32_t i = 0; i < more->tick_count && r == 0; i++)
        r = chunk_add_tick(chunk, more->ticks[i]);
    if (r == 0)
        r = reserve_rows(chunk, more->row_count);
    if (r < 0 || more->row_count == 0)
        return r;
    row = chunk_row(chunk, chunk->row_count);
    memcpy(row, more->rows, (size_t)more->row_count * width * sizeof(*row));
    for (uint32_t i = 0; i < more->row_count; i++, row += width)
        row[column] += ticks;
    chunk->row_count += more->row_count;
    return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const uint64_t *left = a, *right = b;

    for (unsigned int i = 0, keys = *(const uint8_t *)context; i < keys; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static bool is_sorted(const struct chunk *chunk)
{
    uint8_t keys = layouts[chunk->kind].keys;

    for (uint32_t i = 1; i < chunk->row_count; i++)
        if (compare_rows(chunk_row(chunk, i - 1), chunk_row(chunk, i), &keys) > 0)
            return false;
    return true;
}

static void sort_rows(struct chunk *chunk)
{
    uint8_t keys = layouts[chunk->kind].keys;

    if (!is_sorted(chunk))
        qsort_r(chunk->rows, chunk->row_count, layouts[chunk->kind].width * sizeof(*chunk->rows),
                compare_rows, &keys);
}

void chunk_fold(struct chunk *chunk)
{
    const struct layout *layout = &layouts[chunk->kind];
    uint64_t *to = chunk->rows;
    uint8_t keys = layout->keys;
    uint32_t count = 0;

    sort_rows(chunk);
    for (uint32_t i = 0; i < chunk->row_count; i++) {
        const uint64_t *row = chunk_row(chunk, i);

        if (count && compare_rows(to, row, &keys) == 0) {
            for (uint32_t j = keys; j < layout->width; j++)
                to[j] += row[j];
            continue;
        }
        to = chunk_row(chunk, count++);
        memmove(to, row, layout->width * sizeof(*row));
    }
    chunk->row_count = count;
}

void chunk_clear(struct chunk *chunk)
{
    chunk->tick_count = 0;
    chunk->row_count = 0;
}

void chunk_done(struct chunk *chunk)
{
    free(chunk->ticks);
    free(chunk->rows);
    *chunk = (struct chunk){.kind = chunk->kind};
}

int codec_init(struct codec *codec)
{
    *codec = (struct codec){.raw = BUF_INIT};
    crc32_init(&codec->crc);
    codec->compressor = ZSTD_createCCtx();
    codec->decompressor = ZSTD_createDCtx();
    return codec->compressor && codec->decompressor ? 0 : -ENOMEM;
}

void codec_done(struct codec *codec)
{
    ZSTD_freeCCtx(codec->compressor);
    ZSTD_freeDCtx(codec->decompressor);
    buf_done(&codec->raw);
    *codec = (struct codec){.raw = BUF_INIT};
}

/* --- writing --- */

static char *put_number(char *at, uint64_t number)
{
    while (number >= 0x80) {
        *at++ = (char)(number | 0x80);
        number >>= 7;
    }
    *at++ = (char)number;
    return at;
}

static void buf_number(struct buf *buf, uint64_t number)
{
    char *at = buf_reserve(buf, NUMBER_BYTES_MAX);

    if (at)
        buf->length += (size_t)(put_number(at, number) - at);
}

static char *put_key(char *at, const struct chunk *chunk, uint32_t column)
{
    uint32_t width = layouts[chunk->kind].width;
    uint64_t *row = chunk->rows;

    at = put_number(at, row[column]);
    for (uint32_t i = 1; i < chunk->row_count; i++) {
        const uint64_t *before = row;
        bool same = true;

        row += width;
        for (uint32_t j = 0; j < column; j++)
            same = same && row[j] == before[j];
        at = put_number(at, same ? row[column] - before[column] : row[column]);
    }
    return at;
}

static char *put_values(char *at, const struct chunk *chunk, uint32_t column)
{
    uint32_t width = layouts[chunk->kind].width;
    const uint64_t *value = chunk->rows + column;

    for (uint32_t i = 0; i < chunk->row_count; i++, value += width)
        at = put_number(at, *value);
    return at;
}

static bool is_zero(const struct chunk *chunk, uint32_t column)
{
    uint32_t width = layouts[chunk->kind].width;

    for (uint32_t i = 0; i < chunk->row_count; i++)
        if (chunk->rows[(size_t)i * width + column])
            return false;
    return true;
}

/* The length stands before the numbers with room for four bytes of LEB128. */
static void put_column(struct buf *raw, const struct chunk *chunk, uint32_t column)
{
    char *at, *end;
    size_t length;

    if (column && is_zero(chunk, column)) {
        buf_byte(raw, 0);
        return;
    }
    at = buf_reserve(raw, 4 + (size_t)chunk->row_count * NUMBER_BYTES_MAX);
    if (!at)
        return;
    end = column < layouts[chunk->kind].keys ? put_key(at + 4, chunk, column)
                                             : put_values(at + 4, chunk, column);
    length = (size_t)(end - at - 4);
    for (unsigned int i = 0; i < 4; i++)
        at[i] = (char)((length >> (7 * i) & 0x7f) | (i < 3 ? 0x80 : 0));
    raw->length += length + 4;
}

static void put_raw(struct buf *raw, const struct chunk *chunk)
{
    uint64_t before = 0;

    buf_reset(raw);
    buf_byte(raw, (char)chunk->kind);
    buf_number(raw, chunk->tick_count);
    for (uint32_t i = 0; i < chunk->tick_count; i++) {
        buf_number(raw, zigzag((int64_t)(chunk->ticks[i].time_ns - before)));
        buf_number(raw, chunk->ticks[i].length_ns);
        buf_number(raw, chunk->ticks[i].accounting);
        before = chunk->ticks[i].time_ns;
    }
    buf_number(raw, chunk->row_count);
    buf_number(raw, chunk->row_count ? layouts[chunk->kind].width : 0);
    for (uint32_t i = 0; chunk->row_count && i < layouts[chunk->kind].width; i++)
        put_column(raw, chunk, i);
}

static void put_u32(char *at, uint32_t number)
{
    for (unsigned int i = 0; i < 4; i++)
        at[i] = (char)(number >> (8 * i));
}

int codec_wrap(struct codec *codec, const void *raw, size_t raw_length, struct buf *out)
{
    size_t bound = ZSTD_compressBound(raw_length), length;
    char *at = buf_reserve(out, HEAD_BYTES + bound);

    if (!at)
        return -ENOMEM;
    length = ZSTD_compressCCtx(codec->compressor, at + HEAD_BYTES, bound, raw, raw_length, LEVEL);
    if (ZSTD_isError(length))
        return -ENOMEM;
    put_u32(at + 4, (uint32_t)raw_length);
    put_u32(at, crc32_add(&codec->crc, 0, at + 4, length + 4));
    out->length += HEAD_BYTES + length;
    return 0;
}

int codec_write(struct codec *codec, struct chunk *chunk, struct buf *out)
{
    sort_rows(chunk);
    put_raw(&codec->raw, chunk);
    if (codec->raw.error || codec->raw.length > RAW_BYTES_MAX) {
        buf_done(&codec->raw);
        codec->raw = BUF_INIT;
        return -ENOMEM;
    }
    return codec_wrap(codec, codec->raw.data, codec->raw.length, out);
}

/* --- reading --- */

static uint64_t take_long_number(struct bytes *bytes)
{
    uint64_t number = 0;

    for (unsigned int shift = 0; bytes->at < bytes->end && shift < 64; shift += 7) {
        uint8_t byte = *bytes->at++;

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            bytes->bad = bytes->bad || (shift == 63 && byte > 1);
            return number;
        }
    }
    bytes->bad = true;
    return 0;
}

static inline uint64_t take_number(struct bytes *bytes)
{
    const uint8_t *at = bytes->at;

    if (bytes->end - at >= 3) {
        if (at[0] < 0x80) {
            bytes->at += 1;
            return at[0];
        }
        if (at[1] < 0x80) {
            bytes->at += 2;
            return (at[0] & 0x7fu) | (uint64_t)at[1] << 7;
        }
        if (at[2] < 0x80) {
            bytes->at += 3;
            return (at[0] & 0x7fu) | (at[1] & 0x7fu) << 7 | (uint64_t)at[2] << 14;
        }
    }
    return take_long_number(bytes);
}

/* Where the numbers of each column are; columns of a later version are skipped. */
static void take_columns(struct bytes *bytes, uint64_t count, struct bytes *columns, uint32_t width)
{
    for (uint32_t i = 0; i < count && !bytes->bad; i++) {
        uint64_t length = take_number(bytes);

        if (length > (uint64_t)(bytes->end - bytes->at)) {
            bytes->bad = true;
            return;
        }
        if (i < width)
            columns[i] = (struct bytes){length ? bytes->at : NULL,
                                        length ? bytes->at + length : NULL, false};
        bytes->at += length;
    }
}

/* Row by row, so that each is written once. A column that has no bytes is zero. */
static void take_numbers(struct codec *codec, struct chunk *chunk, uint32_t count)
{
    uint32_t width = layouts[chunk->kind].width, keys = layouts[chunk->kind].keys;
    struct bytes *columns = codec->columns;
    const uint64_t *before = codec->before;
    uint64_t *row = chunk->rows;

    for (uint32_t i = 0; i < count; i++, before = row, row += width) {
        bool same = true;

        for (uint32_t j = 0; j < keys; j++) {
            row[j] = (columns[j].at ? take_number(&columns[j]) : 0) + (same ? before[j] : 0);
            same = same && row[j] == before[j];
        }
        for (uint32_t j = keys; j < width; j++)
            row[j] = columns[j].at ? take_number(&columns[j]) : 0;
    }
    memmove(codec->before, before, keys * sizeof(*before));
}

/* A tick has three bytes or more, a row one of its first column: a length that lies asks for
 * memory in proportion to the bytes that are there. */
static int take_ticks(struct bytes *bytes, struct chunk *chunk)
{
    uint64_t count = take_number(bytes), time_ns = 0;
    int r = 0;

    if (count > (uint64_t)(bytes->end - bytes->at) / 3)
        return -EBADMSG;
    for (uint64_t i = 0; i < count && r == 0; i++) {
        struct chunk_tick tick;

        time_ns += (uint64_t)unzigzag(take_number(bytes));
        tick.time_ns = time_ns;
        tick.length_ns = take_number(bytes);
        tick.accounting = take_number(bytes);
        r = chunk_add_tick(chunk, tick);
    }
    return r;
}

static bool has_its_ticks(const struct chunk *chunk)
{
    uint32_t width = layouts[chunk->kind].width;
    const uint64_t *row = chunk->rows; /* NULL when there is none */

    for (uint32_t i = 0; i < chunk->row_count; i++, row += width)
        if (row[tick_column(chunk->kind)] >= chunk->tick_count)
            return false;
    return true;
}

static int find_rows(struct bytes *bytes, struct codec *codec, enum chunk_kind kind)
{
    uint64_t count = take_number(bytes), column_count = take_number(bytes);

    if (count > (uint64_t)(bytes->end - bytes->at) || column_count > UINT8_MAX)
        return -EBADMSG;
    memset(codec->columns, 0, sizeof(codec->columns));
    memset(codec->before, 0, sizeof(codec->before));
    codec->rows_left = (uint32_t)count;
    take_columns(bytes, column_count, codec->columns, layouts[kind].width);
    return bytes->bad || bytes->at != bytes->end ? -EBADMSG : 0;
}

static uint32_t u32_at(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int decompress(struct codec *codec, const uint8_t *bytes, size_t length)
{
    uint32_t raw_length;
    size_t got;

    if (length < HEAD_BYTES || crc32_add(&codec->crc, 0, bytes + 4, length - 4) != u32_at(bytes))
        return -EBADMSG;
    raw_length = u32_at(bytes + 4);
    if (raw_length > RAW_BYTES_MAX ||
        ZSTD_getFrameContentSize(bytes + HEAD_BYTES, length - HEAD_BYTES) != raw_length)
        return -EBADMSG;
    buf_reset(&codec->raw);
    if (!buf_reserve(&codec->raw, raw_length + 1)) {
        codec->raw.error = 0;
        return -ENOMEM;
    }
    got = ZSTD_decompressDCtx(codec->decompressor, codec->raw.data, raw_length, bytes + HEAD_BYTES,
                              length - HEAD_BYTES);
    if (ZSTD_isError(got) || got != raw_length)
        return -EBADMSG;
    codec->raw.length = raw_length;
    return 0;
}

int codec_begin(struct codec *codec, const void *bytes, size_t length, struct chunk *chunk)
{
    struct bytes raw = {0};
    int r = decompress(codec, bytes, length);

    chunk_clear(chunk);
    if (r < 0)
        return r;
    raw.at = (const uint8_t *)codec->raw.data;
    raw.end = raw.at + codec->raw.length;
    if (take_number(&raw) != chunk->kind)
        return -EBADMSG;
    r = take_ticks(&raw, chunk);
    return r < 0 ? r : find_rows(&raw, codec, chunk->kind);
}

int codec_next(struct codec *codec, struct chunk *chunk, uint32_t most)
{
    uint32_t count = codec->rows_left < most ? codec->rows_left : most;
    int r;

    chunk->row_count = 0;
    r = reserve_rows(chunk, count);
    if (r < 0)
        return r;
    take_numbers(codec, chunk, count);
    chunk->row_count = count;
    codec->rows_left -= count;
    for (uint32_t i = 0; i < layouts[chunk->kind].width; i++)
        if (codec->columns[i].bad ||
            (count && !codec->rows_left && codec->columns[i].at != codec->columns[i].end))
            return -EBADMSG;
    return has_its_ticks(chunk) ? count > 0 : -EBADMSG;
}

int codec_read(struct codec *codec, const void *bytes, size_t length, struct chunk *chunk)
{
    int r = codec_begin(codec, bytes, length, chunk);

    if (r == 0)
        r = codec_next(codec, chunk, UINT32_MAX);
    if (r < 0)
        chunk_clear(chunk);
    return r < 0 ? r : 0;
}
