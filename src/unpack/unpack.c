/* SPDX-License-Identifier: MIT */
/* What a packed program begins with: it unpacks the program, which is linked to fixed addresses, to
 * where it belongs, and start_*.S goes on there as if the kernel had. So /proc/PID/exe, the
 * arguments and the name of the process are those of the file. There is no C library here: what it
 * needs of the kernel it calls itself. */
#include <asm/unistd.h>
#include <elf.h>
#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>

#include "packed_layout.h" /* of tools/pack-program; lzma.c is given it too */
#include "unpack/lzma.h"
#include "unpack/start.h"

#ifndef MAP_FIXED_NOREPLACE /* Linux 4.17; before it a wish, which we look after */
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { EXIT_STATUS = 2 }; /* of what could not begin */

static struct lzma_model model;
static uint8_t *const image = (uint8_t *)PACKED_BEGIN;
static const struct segment {
    uintptr_t begin;
    size_t size;
    int protection;
} segments[] = {PACKED_SEGMENTS};

static _Noreturn void end(const char *message, size_t length)
{
    kernel_call(__NR_write, 2, (long)message, (long)length, 0, 0, 0);
    for (;;)
        kernel_call(__NR_exit_group, EXIT_STATUS, 0, 0, 0, 0, 0);
}

#define CANNOT_UNPACK(WHY)                                                                         \
    end("nwho: cannot be unpacked: " WHY "\n", sizeof("nwho: cannot be unpacked: " WHY "\n") - 1)

/* Calls name places relative to themselves, which is another number each time; packed they name the
 * place itself. */
#if defined(__x86_64__)
static void calls_are_relative_again(uint8_t *code, int32_t size)
{
    for (int32_t at = 0; at < size - 5; at++) {
        int32_t place, next = at + 5;

        if (code[at] != 0xe8 && code[at] != 0xe9) /* call, jmp */
            continue;
        __builtin_memcpy(&place, code + at + 1, sizeof(place));
        if (place >= 0 && place < size)
            place -= next;
        else if (place < 0 && place >= -next)
            place += size;
        __builtin_memcpy(code + at + 1, &place, sizeof(place));
        at = next - 1;
    }
}
#elif defined(__aarch64__)
static void calls_are_relative_again(uint8_t *code, int32_t size)
{
    uint32_t *words = (uint32_t *)code;

    for (uint32_t at = 0; at < (uint32_t)size / 4; at++) {
        uint32_t word = words[at];

        if (word >> 26 == 0x25) { /* bl: in words */
            words[at] = (word & 0xfc000000) | ((word - at) & 0x03ffffff);
        } else if ((word & 0x9f000000) ==
                   0x90000000) { /* adrp: in pages, the lowest two bits on top */
            uint32_t page = (word >> 29 & 3) | (word >> 3 & 0x1ffffc);

            page -= at >> 10;
            words[at] = (word & 0x9f00001f) | (page & 3) << 29 | (page >> 2 & 0x7ffff) << 5;
        }
    }
}
#endif

/* What the kernel has told of this program is told of the unpacked one: its C library looks for
 * itself there. */
static void correct_auxiliary_vector(unsigned long *stack)
{
    unsigned long *at = stack + 1 + *stack + 1; /* behind the arguments */

    while (*at)
        at++;
    for (at++; at[0] != AT_NULL; at += 2) {
        if (at[0] == AT_PHDR)
            at[1] = PACKED_PHDR;
        else if (at[0] == AT_PHNUM)
            at[1] = PACKED_PHNUM;
        else if (at[0] == AT_ENTRY)
            at[1] = PACKED_ENTRY;
    }
}

uintptr_t unpack(unsigned long *stack)
{
    long got = kernel_call(__NR_mmap, PACKED_BEGIN, PACKED_MEMORY, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (got != PACKED_BEGIN)
        CANNOT_UNPACK("no memory, or not at its address; a limit of it (ulimit -v) may be raised");
    if (lzma_decode(&model, packed_program, PACKED_LENGTH, image, PACKED_SIZE) < 0)
        CANNOT_UNPACK("the file is damaged; copy it again");
    calls_are_relative_again(image + PACKED_CODE_AT, PACKED_CODE_SIZE);
    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
        if (kernel_call(__NR_mprotect, (long)segments[i].begin, (long)segments[i].size,
                        segments[i].protection, 0, 0, 0) < 0)
            CANNOT_UNPACK(
                "programs may not be made in memory here; take the one that is not packed");
    correct_auxiliary_vector(stack);
    return PACKED_ENTRY;
}
