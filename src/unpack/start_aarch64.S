/* SPDX-License-Identifier: MIT */
/* A packed program's beginning on 64-bit ARM. */
    .text
    .globl packed_start
packed_start:
    mov x0, sp
    bl unpack
    mov x16, x0
    mov x0, xzr /* nothing is to be called at the end */
    br x16

    .globl kernel_call
kernel_call:
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc 0
    ret

    .section .note.GNU-stack, "", %progbits
