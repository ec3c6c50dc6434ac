/* SPDX-License-Identifier: MIT */
/* Reads a block of pcapng: nothing beyond its end, in either byte order. */
#pragma once

#include "savefile/pcapng.h"

#include <byteswap.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes of a block that are not yet read; a read beyond the end gives 0 and sets `failed`. */
struct pcapng_cursor {
    const uint8_t *at, *end;
    bool swapped, failed;
};

static inline const uint8_t *pcapng_take(struct pcapng_cursor *cursor, size_t count)
{
    const uint8_t *at = cursor->at;

    if (cursor->failed || count > (size_t)(cursor->end - at)) {
        cursor->failed = true;
        return NULL;
    }
    cursor->at += count;
    return at;
}

static inline uint16_t pcapng_u16(struct pcapng_cursor *cursor)
{
    const uint8_t *at = pcapng_take(cursor, 2);
    uint16_t number = 0;

    if (at)
        memcpy(&number, at, sizeof(number));
    return cursor->swapped ? bswap_16(number) : number;
}

static inline uint32_t pcapng_u32(struct pcapng_cursor *cursor)
{
    const uint8_t *at = pcapng_take(cursor, 4);
    uint32_t number = 0;

    if (at)
        memcpy(&number, at, sizeof(number));
    return cursor->swapped ? bswap_32(number) : number;
}

static inline uint64_t pcapng_u64(struct pcapng_cursor *cursor)
{
    const uint8_t *at = pcapng_take(cursor, 8);
    uint64_t number = 0;

    if (at)
        memcpy(&number, at, sizeof(number));
    return cursor->swapped ? bswap_64(number) : number;
}

/* What is padded to 32 bits. */
static inline struct pcapng_cursor pcapng_padded(struct pcapng_cursor *cursor, size_t count)
{
    const uint8_t *at = pcapng_take(cursor, count);

    if (!at)
        return (struct pcapng_cursor){.failed = true};
    (void)pcapng_take(cursor, -count & 3);
    return (struct pcapng_cursor){at, at + count, cursor->swapped, false};
}

/* The next option; false: there are no more. */
static inline bool pcapng_option(struct pcapng_cursor *cursor, uint16_t *ret_code,
                                 struct pcapng_cursor *ret_value)
{
    uint16_t code, length;

    if (cursor->at == cursor->end)
        return false;
    code = pcapng_u16(cursor);
    length = pcapng_u16(cursor);
    if (cursor->failed || code == PCAPNG_END)
        return false;
    *ret_value = pcapng_padded(cursor, length);
    *ret_code = code;
    return !cursor->failed && ret_value->at;
}

static inline size_t pcapng_left(const struct pcapng_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}
