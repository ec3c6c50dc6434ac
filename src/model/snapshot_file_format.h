/* SPDX-License-Identifier: MIT */
/* What the writer and the reader of snapshot files share; for these two only. */
#pragma once

#include "base/crc32.h"
#include "model/snapshot.h"
#include "model/snapshot_fields.h"

#include <string.h>

#define SNAPSHOT_MAGIC "nwho-snapshot\n"
#define SNAPSHOT_MAGIC_LENGTH (sizeof(SNAPSHOT_MAGIC) - 1)
#define STRINGS_SECTION "strings"

/* Copies one value between memory and file, where numbers are little-endian; both ways alike. */
static inline void field_copy(const struct field *field, void *to, const void *from)
{
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ || field->kind == FIELD_BYTES) {
        memcpy(to, from, field->width);
    } else {
        for (size_t i = 0; i < field->width; i++)
            ((uint8_t *)to)[i] = ((const uint8_t *)from)[field->width - 1 - i];
    }
}

static inline void *section_elements(const struct snapshot *snapshot, const struct section *section)
{
    void *elements = (void *)snapshot;

    if (section->array)
        memcpy(&elements, (const char *)snapshot + section->array, sizeof(elements));
    return elements;
}

static inline uint32_t section_count(const struct snapshot *snapshot, const struct section *section)
{
    uint32_t count = 1;

    if (section->array)
        memcpy(&count, (const char *)snapshot + section->count, sizeof(count));
    return count;
}
