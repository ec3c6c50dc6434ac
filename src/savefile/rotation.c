/* SPDX-License-Identifier: MIT */
/* Files in turn: their names. */
#include "savefile/rotation.h"

#include <limits.h>
#include <stdio.h>

size_t rotation_fixed(const struct rotation_options *options, const char *path)
{
    return options->seconds ? strcspn(path, "%") : strlen(path);
}

/* Of a ring all numbers have as many digits as the last one. */
static int ring_digits(uint32_t files)
{
    return snprintf(NULL, 0, "%u", files - 1);
}

/* The format is what the user gives. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static size_t put_time(char *at, const char *format, const struct tm *time)
{
    return strftime(at, PATH_MAX, format, time);
}
#pragma GCC diagnostic pop

int rotation_put_name(struct buf *out, const struct rotation_options *options, const char *format,
                      time_t begin, uint32_t number)
{
    struct tm local;

    if (options->seconds) {
        char *at = buf_reserve(out, PATH_MAX);
        size_t length;

        if (!at || !localtime_r(&begin, &local))
            return at ? -EOVERFLOW : -ENOMEM;
        length = put_time(at, format, &local);
        if (length == 0)
            return -EINVAL;
        out->length += length;
    } else {
        buf_puts(out, format);
    }
    if (options->size && options->files > 1)
        buf_printf(out, "%0*u", ring_digits(options->files), number);
    else if (number > 0)
        buf_uint(out, number);
    return out->error;
}
