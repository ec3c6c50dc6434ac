/* SPDX-License-Identifier: MIT */
/* FNV-1a, for keys of maps: who uses it minds that two things may have one hash. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_INIT UINT64_C(0xcbf29ce484222325)

/* A number in one step. */
static inline uint64_t hash_number(uint64_t hash, uint64_t number)
{
    return (hash ^ number) * UINT64_C(0x100000001b3);
}

/* Of each number in one step. */
static inline uint64_t hash_numbers(uint64_t hash, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = hash_number(hash, numbers[i]);
    return hash;
}

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < length; i++)
        hash = hash_number(hash, at[i]);
    return hash;
}

/* Eight bytes in a step, which is faster: another hash than hash_bytes() gives. */
static inline uint64_t hash_words(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;

    for (; length; at += sizeof(uint64_t)) {
        size_t count = length < sizeof(uint64_t) ? length : sizeof(uint64_t);
        uint64_t word = 0;

        if (count == sizeof(word))
            memcpy(&word, at, sizeof(word));
        else
            memcpy(&word, at, count);
        hash = hash_number(hash ^ hash >> 31, word);
        length -= count;
    }
    return hash;
}
