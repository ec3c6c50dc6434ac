/* SPDX-License-Identifier: MIT */
/* Growing arrays: one function that makes room in an array of any type. */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

/* Makes room for `more` elements behind `count`. Large arrays move by mremap, without a copy. 0 or
 * -ENOMEM (then nothing changed). */
int vec_reserve(void **items, uint32_t *capacity, uint32_t count, uint32_t more, size_t size)
    MUST_CHECK;

/* VEC_RESERVE(&rows, &row_capacity, row_count, 1): typed wrapper. */
#define VEC_RESERVE(items, capacity, count, more)                                                  \
    vec_reserve((void **)(items), (capacity), (count), (more), sizeof(**(items)))
