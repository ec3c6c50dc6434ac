/* SPDX-License-Identifier: MIT */
/* Rates of counts, which may be any: those of a file of others, or of a counter that jumped. */
#pragma once

#include <stdint.h>

/* Without its fraction. What is too large becomes the largest number, and nothing below 0. */
static inline uint64_t uint64_of(double number)
{
    if (!(number > 0))
        return 0;
    return number < 0x1p64 ? (uint64_t)number : UINT64_MAX;
}

/* So much of it in a second, when it is `count` in `ns`; 0 of no time. `more` decides how it is
 * rounded: 0.5 to the nearest number, 0 down. */
static inline uint64_t per_second(uint64_t count, uint64_t ns, double more)
{
    return ns ? uint64_of((double)count * 1e9 / (double)ns + more) : 0;
}
