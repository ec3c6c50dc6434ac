/* SPDX-License-Identifier: MIT */
/* Files in turn: when the next one begins, and its name. */
#pragma once

#include "base/buf.h"

#include <stdint.h>
#include <time.h>

/* All zero: there is one file. */
struct rotation_options {
    uint64_t size;    /* bytes a file has when the next one begins, 0: any */
    uint32_t seconds; /* after which the next one begins, 0: none; the name is a format then */
    uint32_t files;   /* 0: any number. Of `size`: how many there are, in a ring; else the last */
};

static inline bool rotation_is_any(const struct rotation_options *options)
{
    return options->size || options->seconds;
}

/* Whether files that exist are overwritten: those of a ring, and a single one. */
static inline bool rotation_overwrites(const struct rotation_options *options)
{
    return !rotation_is_any(options) || (options->size && options->files);
}

/* How many bytes of `path` are in the name of all files. */
size_t rotation_fixed(const struct rotation_options *options, const char *path);

/* The name of a file that begins at `begin`, with its number. -EINVAL: it has no end. */
int rotation_put_name(struct buf *out, const struct rotation_options *options, const char *format,
                      time_t begin, uint32_t number) MUST_CHECK;
