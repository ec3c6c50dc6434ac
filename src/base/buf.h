/* SPDX-License-Identifier: MIT */
/* Byte buffer that grows; the one way by which bytes are put together and written out. */
#pragma once

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Errors stick: after a failed allocation or write every further call does nothing and `error` says
 * why (negative errno), so that writers need one check at the end. A buffer with a sink (fd >= 0)
 * writes itself out when it is large.
 */
struct buf {
    char *data;
    size_t length;
    size_t capacity;
    int error;
    int fd; /* sink, not owned; -1 for none */
};

#define BUF_INIT ((struct buf){.fd = -1})
#define BUF_SINK(sink) ((struct buf){.fd = (sink)})

void buf_done(struct buf *buf);

/* Room for `count` more bytes at data + length, or NULL. The caller adds to length what it wrote.
 */
char *buf_reserve_slow(struct buf *buf, size_t count);

/* Writes everything to the sink. Returns 0 or the sticking error. */
int buf_flush(struct buf *buf);

void buf_put(struct buf *buf, const void *bytes, size_t count);
void buf_pad(struct buf *buf, size_t count);
void buf_uint(struct buf *buf, uint64_t number);
void buf_int(struct buf *buf, int64_t number);
/* A time, see format_utc(); an internet address, see format_address(). */
void buf_utc(struct buf *buf, uint64_t time_ns, unsigned int digits);
void buf_address(struct buf *buf, unsigned int family, const uint8_t *bytes);
/* As it stands before a port: IPv6 in brackets. */
void buf_host(struct buf *buf, unsigned int family, const uint8_t *bytes);

void buf_hex(struct buf *buf, uint64_t number);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* The content as a C string (a NUL is put behind it), "" when empty or failed. Valid until the next
 * change. */
const char *buf_string(struct buf *buf);

static inline char *buf_reserve(struct buf *buf, size_t count)
{
    if (buf->capacity - buf->length > count) /* not so in an empty one, whose data is NULL */
        return buf->data + buf->length;
    return buf_reserve_slow(buf, count);
}

static inline void buf_byte(struct buf *buf, char byte)
{
    char *at = buf_reserve(buf, 1);

    if (at) {
        *at = byte;
        buf->length++;
    }
}

static inline void buf_puts(struct buf *buf, const char *string)
{
    buf_put(buf, string, strlen(string));
}

static inline void buf_reset(struct buf *buf)
{
    buf->length = 0;
    if (buf->error)
        buf->capacity = 0;
}

/* The same for one in memory that lives long: what failed before is over. */
static inline void buf_renew(struct buf *buf)
{
    if (buf->error)
        buf_done(buf);
    buf->error = 0;
    buf->length = 0;
}
