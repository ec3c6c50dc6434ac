/* SPDX-License-Identifier: MIT */
/* Escaping: UTF-8 is decoded strictly; whatever is not plainly printable is shown as its bytes. */
#include "base/escape.h"

#include <wchar.h>

/* Length in bytes of the character that begins with `first`, 0 when no character does. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return first < 0xf5 ? 4 : 0;
}

/* Decodes one character. Returns its length in bytes, or 0 when the bytes are no valid UTF-8. */
static size_t decode(const unsigned char *s, size_t left, uint32_t *ret_char)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = length_of(s[0]);
    uint32_t c;

    if (length == 0 || length > left)
        return 0;
    c = length == 1 ? s[0] : s[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (length > 1 && (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)))
        return 0;
    *ret_char = c;
    return length;
}

/* Characters that would move the cursor, change the direction of text, be invisible, or that XML
 * does not allow. */
static bool is_unsafe(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
        {0x61c, 0x61c},   {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},
        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff9, 0xfffb},
        {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0xe0000, 0xe01ef},
    };

    for (size_t i = 0; i < ARRAY_SIZE(ranges) && c >= ranges[i].first; i++) {
        if (c <= ranges[i].last)
            return true;
    }
    return false;
}

static size_t put_escaped(struct buf *buf, const unsigned char *bytes, size_t length)
{
    static const char short_forms[] = "\nn\tt\rr\033e\\\\";
    size_t width = 0;

    for (size_t i = 0; i < length; i++) {
        const char *form = bytes[i] ? strchr(short_forms, bytes[i]) : NULL;
        char text[4] = {'\\', 'x', "0123456789abcdef"[bytes[i] >> 4],
                        "0123456789abcdef"[bytes[i] & 15]};

        if (form && (form - short_forms) % 2 == 0) {
            text[1] = form[1];
            buf_put(buf, text, 2);
            width += 2;
        } else {
            buf_put(buf, text, 4);
            width += 4;
        }
    }
    return width;
}

static size_t plain_run(const unsigned char *s, size_t length)
{
    size_t n = 0;

    while (n < length && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '\\' && s[n] != '"')
        n++;
    return n;
}

/* Terminal columns of a printable character: wide East Asian and emoji blocks take two, combining
 * marks none. */
static size_t columns_of(uint32_t c)
{
    int width = c < 0x300 ? 1 : wcwidth((wchar_t)c);

    return width < 0 ? 1 : (size_t)width;
}

size_t escape_text(struct buf *buf, const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t width = 0;

    while (length > 0) {
        size_t run = plain_run(s, length);
        uint32_t c = 0;

        if (run > 0) {
            buf_put(buf, s, run);
            width += run;
        } else {
            run = decode(s, length, &c);
            if (run == 0 || is_unsafe(c) || c == '\\') {
                run = run ? run : 1;
                width += put_escaped(buf, s, run);
            } else {
                buf_put(buf, s, run);
                width += columns_of(c);
            }
        }
        s += run;
        length -= run;
    }
    return width;
}

/* In JSON our own escapes are themselves escaped: \xNN of the text form is written \\xNN. */
static void put_json_escaped(struct buf *buf, const unsigned char *bytes, size_t length)
{
    struct buf text = BUF_INIT;

    put_escaped(&text, bytes, length);
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\\')
            buf_byte(buf, '\\');
        buf_byte(buf, text.data[i]);
    }
    if (text.error && !buf->error)
        buf->error = text.error;
    buf_done(&text);
}

void escape_json(struct buf *buf, const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;

    buf_byte(buf, '"');
    while (length > 0) {
        size_t run = plain_run(s, length);
        uint32_t c = 0;

        if (run > 0) {
            buf_put(buf, s, run);
        } else if (*s == '"') {
            run = 1;
            buf_puts(buf, "\\\"");
        } else {
            run = decode(s, length, &c);
            if (run == 0 || is_unsafe(c) || c == '\\')
                put_json_escaped(buf, s, run = run ? run : 1);
            else
                buf_put(buf, s, run);
        }
        s += run;
        length -= run;
    }
    buf_byte(buf, '"');
}

void escape_part(struct buf *buf, const char *bytes, size_t length, const char *reserved)
{
    size_t run = 0;

    for (size_t i = 0; i < length; i++) {
        if (!bytes[i] || !strchr(reserved, bytes[i]))
            continue;
        escape_text(buf, bytes + run, i - run);
        put_escaped(buf, (const unsigned char *)bytes + i, 1);
        run = i + 1;
    }
    escape_text(buf, bytes + run, length - run);
}

void escape_csv_quotes(struct buf *buf, const char *text, size_t length)
{
    bool quote =
        memchr(text, ',', length) || memchr(text, '"', length) || memchr(text, ' ', length);

    if (!quote) {
        buf_put(buf, text, length);
        return;
    }
    buf_byte(buf, '"');
    while (length > 0) {
        const char *mark = memchr(text, '"', length);
        size_t run = mark ? (size_t)(mark - text) + 1 : length;

        buf_put(buf, text, run);
        if (mark)
            buf_byte(buf, '"');
        text += run;
        length -= run;
    }
    buf_byte(buf, '"');
}

void escape_xml(struct buf *buf, const char *bytes, size_t length)
{
    static const char special[] = "&<>\"";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    CLEANUP(buf_done) struct buf text = BUF_INIT;

    escape_text(&text, bytes, length);
    for (const char *at = buf_string(&text); *at; at++) {
        const char *found = strchr(special, *at);

        if (found)
            buf_puts(buf, entities[found - special]);
        else
            buf_byte(buf, *at);
    }
    if (text.error && !buf->error)
        buf->error = text.error;
}

void escape_csv(struct buf *buf, const char *bytes, size_t length)
{
    struct buf text = BUF_INIT;

    escape_text(&text, bytes, length);
    escape_csv_quotes(buf, buf_string(&text), text.length);
    if (text.error && !buf->error)
        buf->error = text.error;
    buf_done(&text);
}

/* Whether one of eight bytes is a control, a quote, a backslash, DEL or not ASCII. */
static bool has_special(const unsigned char *eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t word, quote, backslash, del;

    memcpy(&word, eight, sizeof(word));
    quote = word ^ ones * '"';
    backslash = word ^ ones * '\\';
    del = word ^ ones * 0x7f;
    return ((word - ones * 0x20) | word | (quote - ones) | (backslash - ones) | (del - ones)) &
           tops;
}

bool escape_is_plain(const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;

    if (length < 8)
        return plain_run(s, length) == length;
    for (size_t i = 0; i + 8 < length; i += 8) {
        if (has_special(s + i))
            return false;
    }
    return !has_special(s + length - 8);
}

/* Bytes and columns of the first character or escape. */
static size_t measure_first(const unsigned char *s, size_t length, size_t *ret_columns)
{
    uint32_t c = 0;
    size_t bytes;

    if (*s == '\\') {
        bytes = length > 1 && s[1] == 'x' ? 4 : 2;
        bytes = bytes < length ? bytes : length;
        *ret_columns = bytes;
        return bytes;
    }
    bytes = decode(s, length, &c);
    *ret_columns = bytes ? columns_of(c) : 1;
    return bytes ? bytes : 1;
}

size_t escape_fit(const char *text, size_t length, size_t columns, size_t *ret_columns)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0, used = 0;

    while (at < length) {
        size_t width, bytes = measure_first(s + at, length - at, &width);

        if (used + width > columns)
            break;
        at += bytes;
        used += width;
    }
    *ret_columns = used;
    return at;
}
