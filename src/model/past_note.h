/* SPDX-License-Identifier: MIT */
/* Notes in the history: marks of people, and what the recorder says of itself. */
#pragma once

#include <stdint.h>

struct past_note {
    uint64_t time_ns; /* CLOCK_REALTIME */
    const char *kind; /* "mark", "gap", ... */
    uint32_t text;    /* string of the snapshot */
};
