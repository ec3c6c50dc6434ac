/* SPDX-License-Identifier: MIT */
/* Growing arrays: by half again, never less than 16 elements. */
#include "base/vec.h"

int vec_reserve(void **items, uint32_t *capacity, uint32_t count, uint32_t more, size_t size)
{
    uint64_t wanted = (uint64_t)count + more;
    uint64_t grown = (uint64_t)*capacity + *capacity / 2;
    void *memory;

    if (wanted <= *capacity)
        return 0;
    if (grown < wanted)
        grown = wanted;
    if (grown < 16)
        grown = 16;
    if (grown >= UINT32_MAX)
        return -ENOMEM;
    memory = reallocarray(*items, (size_t)grown, size);
    if (!memory)
        return -ENOMEM;
    *items = memory;
    *capacity = (uint32_t)grown;
    return 0;
}
