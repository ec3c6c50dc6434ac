/* SPDX-License-Identifier: MIT */
/* Arena: many small allocations with one life time, freed together. */
#pragma once

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes used in the newest block */
};

/* Zeroed memory aligned for any type, or NULL when there is none left. Lives until arena_done(). */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of `length` bytes with a NUL behind it, or NULL. */
char *arena_copy(struct arena *arena, const void *bytes, size_t length);

/* Frees everything; the arena is then empty and can be used again. */
void arena_done(struct arena *arena);
