/* SPDX-License-Identifier: MIT */
/* The clocks of the kernel, in nanoseconds. */
#pragma once

#include <stdint.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)
#define MILLISECOND_NS UINT64_C(1000000)

/* Cannot fail: every kernel that runs this has the clocks that are asked for. */
static inline uint64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}
