/* SPDX-License-Identifier: MIT */
/* A packet as it was captured. */
#pragma once

#include <stdint.h>

struct captured {
    const uint8_t *bytes;      /* beginning with the link's header */
    uint32_t captured, length; /* how many there are, and how many were sent */
    int64_t seconds;           /* since 1970 */
    uint32_t fraction;         /* micro- or nanoseconds, as was asked for */
};
