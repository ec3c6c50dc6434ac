/* SPDX-License-Identifier: MIT */
/* A setting of the kernel (sysctl): what limits and governs what checks judge. */
#pragma once

#include <stdint.h>

#define SETTING_NUMBERS 3

enum setting_flag {
    SETTING_MACHINE = 1u << 0, /* of the whole machine */
};

struct setting {
    uint64_t numbers[SETTING_NUMBERS]; /* those at the beginning of its text */
    uint32_t count;                    /* of them; 0: it has only a text */
    uint32_t netns;                    /* index into snapshot.netns: where it was read */
    uint32_t name;                     /* string, as sysctl(8) writes it: "net.ipv4.tcp_mem" */
    uint32_t text;                     /* string: all of it, without the end of the line */
    uint32_t flags;                    /* enum setting_flag */
};
