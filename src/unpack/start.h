/* SPDX-License-Identifier: MIT */
/* Between start_*.S, of a processor, and unpack.c, of all. */
#pragma once

#include <stdint.h>

/* Calls the kernel: its answer, or a negative errno. */
long kernel_call(long number, long a, long b, long c, long d, long e, long f);

/* What tools/pack-program has made: PACKED_LENGTH bytes. */
extern const uint8_t packed_program[];

/* Unpacks the program; `stack` is what the kernel has put there for it. Returns where it begins. */
uintptr_t unpack(unsigned long *stack);
