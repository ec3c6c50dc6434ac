/* SPDX-License-Identifier: MIT */
/* Byte buffer: growth, numbers, and writing out. */
#include "base/buf.h"

#include "base/format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SINK_FLUSH_BYTES ((size_t)256 * 1024)

void buf_done(struct buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->length = 0;
    buf->capacity = 0;
}

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

int buf_flush(struct buf *buf)
{
    if (!buf->error && buf->fd >= 0 && buf->length > 0)
        buf->error = write_all(buf->fd, buf->data, buf->length);
    buf_reset(buf);
    return buf->error;
}

/* No room is left for what is shorter either. */
static char *fail(struct buf *buf)
{
    buf->error = -ENOMEM;
    buf->capacity = buf->length;
    return NULL;
}

char *buf_reserve_slow(struct buf *buf, size_t count)
{
    size_t capacity = buf->capacity ? buf->capacity : 256;
    char *data;

    if (buf->error)
        return NULL;
    if (buf->fd >= 0 && buf->length >= SINK_FLUSH_BYTES && buf_flush(buf) < 0)
        return NULL;
    if (count > SIZE_MAX / 4 || buf->length > SIZE_MAX / 4)
        return fail(buf);
    while (capacity - buf->length < count)
        capacity *= 2;
    if (capacity > buf->capacity) {
        data = realloc(buf->data, capacity);
        if (!data)
            return fail(buf);
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->length;
}

void buf_put(struct buf *buf, const void *bytes, size_t count)
{
    char *at = count ? buf_reserve(buf, count) : NULL;

    if (at) {
        memcpy(at, bytes, count);
        buf->length += count;
    }
}

void buf_pad(struct buf *buf, size_t count)
{
    char *at = buf_reserve(buf, count);

    if (at && count) {
        memset(at, ' ', count);
        buf->length += count;
    }
}

void buf_uint(struct buf *buf, uint64_t number)
{
    char *at = buf_reserve(buf, FORMAT_UINT_MAX);

    if (at)
        buf->length = (size_t)(format_uint(at, number) - buf->data);
}

void buf_address(struct buf *buf, unsigned int family, const uint8_t *bytes)
{
    char *at = buf_reserve(buf, FORMAT_ADDRESS_MAX);

    if (at)
        buf->length = (size_t)(format_address(at, family, bytes) - buf->data);
}

void buf_host(struct buf *buf, unsigned int family, const uint8_t *bytes)
{
    if (family == AF_INET6)
        buf_byte(buf, '[');
    buf_address(buf, family, bytes);
    if (family == AF_INET6)
        buf_byte(buf, ']');
}

void buf_utc(struct buf *buf, uint64_t time_ns, unsigned int digits)
{
    char *at = buf_reserve(buf, FORMAT_UTC_MAX);

    if (at)
        buf->length = (size_t)(format_utc(at, time_ns, digits) - buf->data);
}

void buf_int(struct buf *buf, int64_t number)
{
    if (number < 0)
        buf_byte(buf, '-');
    buf_uint(buf, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void buf_hex(struct buf *buf, uint64_t number)
{
    char digits[16];
    size_t at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number);
    buf_put(buf, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    int length;
    char *at;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return;
    at = buf_reserve(buf, (size_t)length + 1);
    if (!at)
        return;
    vsnprintf(at, (size_t)length + 1, format, args);
    buf->length += (size_t)length;
}

const char *buf_string(struct buf *buf)
{
    char *at = buf_reserve(buf, 1);

    if (!at)
        return "";
    *at = '\0';
    return buf->data;
}
