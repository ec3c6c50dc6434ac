/* SPDX-License-Identifier: MIT */
/* Memory that ends: for tests that try a call again and again, each time with one more allocation
 * that succeeds before the first one that does not. */
/*
 *   FOR_EACH_FAILURE(r == -ENOMEM) {
 *       r = module_make(&made);
 *       ...
 *   }
 *
 * runs the block until no allocation of it failed any more, and checks the condition each time one
 * did. To be included in one file of a program, as it replaces the functions of libc; a sanitizer
 * has its own, with which the block runs once and nothing fails.
 */
#pragma once

#include "sanitized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

static struct {
    long left; /* allocations that still succeed; -1: all do */
    long step; /* how many more each time; 0: one */
    bool failed;
} memory = {.left = -1};

#ifndef IS_SANITIZED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

/* From the first failure on all fail: there is no more memory. */
static bool memory_ends(void)
{
    if (memory.left < 0)
        return false;
    if (memory.left > 0) {
        memory.left--;
        return false;
    }
    memory.failed = true;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return memory_ends() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return memory_ends() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return memory_ends() ? NULL : __libc_realloc(old, size);
}
#endif

/* Whether another try is wanted after one with so many allocations; checks what became of it. */
static inline bool memory_goes_on(long tried, bool holds, const char *condition, const char *file,
                                  int line)
{
    bool failed = memory.failed;

    memory.left = -1;
    memory.failed = false;
    if (failed && !holds)
        fail_msg("%s:%d: after %ld allocations there is no more memory, and this does not hold: %s",
                 file, line, tried, condition);
    return failed;
}

#define FOR_EACH_FAILURE(condition)                                                                \
    for (long memory_tried = -1;                                                                   \
         (memory_tried < 0 ||                                                                      \
          memory_goes_on(memory_tried, (condition), #condition, __FILE__, __LINE__)) &&            \
         (memory_tried += memory_tried < 0 || !memory.step ? 1 : memory.step,                      \
          memory.left = memory_tried, true);)
