/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD: allocation number FAIL_AT fails, or with FAIL_FROM all from that number on. */
/*
 * With FAIL_OWN only those of the program itself are counted: glibc 2.36 crashes when it finds no
 * memory for the name service switch.
 */
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own, which these replace. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static unsigned long limit_of(const char *name)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : 0;
}

/* The program comes first among the objects. */
static int is_in_program(struct dl_phdr_info *info, size_t size, void *context)
{
    uintptr_t at = *(const uintptr_t *)context - info->dlpi_addr;

    (void)size;
    for (unsigned int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && at >= info->dlpi_phdr[i].p_vaddr &&
            at - info->dlpi_phdr[i].p_vaddr < info->dlpi_phdr[i].p_memsz)
            return 1;
    return -1;
}

/* Counts calls; the first one that fails is reported on the descriptor that FAIL_REPORT names. */
static bool must_fail(void *caller)
{
    static unsigned long count;
    static bool reported;
    uintptr_t at = (uintptr_t)caller;
    bool fails;

    if (getenv("FAIL_OWN") && dl_iterate_phdr(is_in_program, &at) < 0)
        return false;
    count++;
    fails =
        count == limit_of("FAIL_AT") || (limit_of("FAIL_FROM") && count >= limit_of("FAIL_FROM"));
    if (fails && !reported) {
        reported = true;
        (void)!write((int)limit_of("FAIL_REPORT"), "!", 1);
    }
    if (fails)
        errno = ENOMEM;
    return fails;
}

void *malloc(size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return must_fail(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, count * size);
}
