/* SPDX-License-Identifier: MIT */
/* A packed program's beginning on x86-64. */
    .text
    .globl packed_start
packed_start:
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call unpack
    mov %rbx, %rsp
    xor %edx, %edx /* nothing is to be called at the end */
    jmp *%rax

    .globl kernel_call
kernel_call:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret

    .section .note.GNU-stack, "", %progbits
