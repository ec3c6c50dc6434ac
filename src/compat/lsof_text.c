/* SPDX-License-Identifier: MIT */
/* How lsof writes bytes that cannot be shown as they are, and flags of open(2). */
#include "compat/lsof.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define UNIT_SIZE 8 /* one byte as text, with its NUL */

static const char control_bytes[] = "\b\f\n\r\t", control_letters[] = "bfnrt";

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

/* Writes one byte that is not plain. Returns the length of its text. */
static size_t write_special(char unit[UNIT_SIZE], unsigned char byte)
{
    const char *control = byte ? strchr(control_bytes, byte) : NULL;

    if (byte == '\\')
        return (size_t)snprintf(unit, UNIT_SIZE, "\\\\");
    if (control)
        return (size_t)snprintf(unit, UNIT_SIZE, "\\%c", control_letters[control - control_bytes]);
    if (byte < 0x20)
        return (size_t)snprintf(unit, UNIT_SIZE, "^%c", byte + '@');
    return (size_t)snprintf(unit, UNIT_SIZE, "\\x%02x", byte);
}

static size_t write_byte(char unit[UNIT_SIZE], unsigned char byte)
{
    if (!is_plain(byte))
        return write_special(unit, byte);
    unit[0] = (char)byte;
    return 1;
}

/* Bytes of the character here that can be shown as it is; 0: none, only bytes. */
static size_t printable_length(const char *bytes, size_t length)
{
    mbstate_t state = {0};
    wchar_t wide;
    size_t count;

    if ((unsigned char)*bytes < 0x80)
        return 0;
    count = mbrtowc(&wide, bytes, length, &state);
    if (count == 0 || count > length || !iswprint((wint_t)wide))
        return 0;
    return count;
}

void lsof_escape(struct buf *text, const char *bytes, size_t length)
{
    char unit[UNIT_SIZE];
    size_t count;

    for (size_t i = 0; i < length; i += count ? count : 1) {
        count = printable_length(bytes + i, length - i);
        if (count)
            buf_put(text, bytes + i, count);
        else
            buf_put(text, unit, write_byte(unit, (unsigned char)bytes[i]));
    }
}

/* A blank would look like the end of the column. */
static size_t write_column_byte(char unit[UNIT_SIZE], unsigned char byte)
{
    return byte == ' ' ? write_special(unit, byte) : write_byte(unit, byte);
}

void lsof_put_padded(struct buf *text, const char *bytes, size_t length, uint32_t width)
{
    char unit[UNIT_SIZE];
    size_t written = 0, size;

    for (size_t i = 0; i < length; i++) {
        size = write_column_byte(unit, (unsigned char)bytes[i]);
        if (written + size > width)
            break;
        buf_put(text, unit, size);
        written += size;
    }
    if (written < width)
        buf_pad(text, width - written);
}

/* lsof counts a byte above 127 as two columns, and writes four. */
uint32_t lsof_width(const char *bytes, size_t length, uint32_t limit)
{
    char unit[UNIT_SIZE];
    size_t width = 0;

    for (size_t i = 0; i < length; i++)
        width +=
            (unsigned char)bytes[i] > 0x7f ? 2 : write_column_byte(unit, (unsigned char)bytes[i]);
    return (uint32_t)(limit && width > limit ? limit : width);
}

void lsof_put_flags(struct buf *text, uint32_t flags, bool hexadecimal)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {O_CREAT, "CR"},   {O_EXCL, "EXCL"},     {O_NOCTTY, "NTTY"},   {O_TRUNC, "TR"},
        {O_APPEND, "AP"},  {O_NONBLOCK, "ND"},   {O_SYNC, "SYN"},      {O_ASYNC, "ASYN"},
        {O_DIRECT, "DIR"}, {O_DIRECTORY, "DTY"}, {O_NOFOLLOW, "NFLK"}, {O_NOATIME, "NATM"},
        {O_DSYNC, "DSYN"}, {0100000, "LG"},      {O_CLOEXEC, "CX"},
    };

    if (!flags)
        return;
    if (hexadecimal) {
        buf_printf(text, "0x%x;0x0", flags);
        return;
    }
    buf_puts(text, (flags & O_ACCMODE) == O_WRONLY ? "W" : "RW");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if ((flags & names[i].bit) == names[i].bit) {
            buf_byte(text, ',');
            buf_puts(text, names[i].name);
        }
}
