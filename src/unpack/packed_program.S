/* SPDX-License-Identifier: MIT */
/* What tools/pack-program has made of a program. */
#include "packed_layout.h"

    .section .rodata
    .globl packed_program
packed_program:
    .incbin PACKED_PROGRAM
    .section .note.GNU-stack, "", %progbits
