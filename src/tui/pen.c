/* SPDX-License-Identifier: MIT */
/* Pens: text on the screen, measured in columns of the terminal. */
#include "tui/terminal.h"

#include "base/escape.h"

#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#define CHUNK 256

struct pen pen_at(const struct terminal *terminal, int row, int column, int end)
{
    if (end > terminal->columns || end < 0)
        end = terminal->columns;
    return (struct pen){.terminal = terminal,
                        .row = row,
                        .column = column,
                        .end = row < 0 || row >= terminal->rows ? column : end};
}

/* The next character of the text, "?" where the terminal cannot show it. Its length in bytes. */
static size_t next_character(const struct terminal *terminal, const char *text, size_t length,
                             wchar_t *ret_character)
{
    mbstate_t shift = {0};
    size_t bytes = 1;

    if (!terminal->utf8 && (unsigned char)*text >= 0x80) {
        while (bytes < length && ((unsigned char)text[bytes] & 0xc0) == 0x80)
            bytes++;
        *ret_character = L'?';
        return bytes;
    }
    bytes = mbrtowc(ret_character, text, length, &shift);
    if (bytes == 0 || bytes > length) {
        *ret_character = L'?';
        return 1;
    }
    if (wcwidth(*ret_character) < 0)
        *ret_character = L'?';
    return bytes;
}

/* Text that fits. */
static void write_text(struct pen *pen, const char *text, size_t length)
{
    wchar_t characters[CHUNK];
    int count = 0;

    move(pen->row, pen->column);
    for (size_t at = 0; at < length;) {
        at += next_character(pen->terminal, text + at, length - at, &characters[count]);
        if (++count == CHUNK || at == length) {
            addnwstr(characters, count);
            count = 0;
        }
    }
}

void pen_put(struct pen *pen, enum paint paint, const char *text, size_t length)
{
    size_t room = pen->end > pen->column ? (size_t)(pen->end - pen->column) : 0, columns;
    size_t fits = escape_fit(text, length, room, &columns);
    const char *cut = pen->terminal->glyphs ? "\xe2\x80\xa6" : "~";

    if (room == 0)
        return;
    attrset((int)pen->terminal->attributes[paint]);
    if (fits < length)
        fits = escape_fit(text, length, room - 1, &columns);
    write_text(pen, text, fits);
    pen->column += (int)columns;
    if (fits < length) {
        write_text(pen, cut, strlen(cut));
        pen->column++;
        while (pen->column < pen->end) /* a wide character had half the room it needs */
            mvaddch(pen->row, pen->column++, ' ');
    }
    attrset(A_NORMAL);
}

void pen_buf(struct pen *pen, enum paint paint, const struct buf *text)
{
    if (text->length)
        pen_put(pen, paint, text->data, text->length);
}

void pen_text(struct pen *pen, enum paint paint, const char *text)
{
    pen_put(pen, paint, text, strlen(text));
}

void pen_printf(struct pen *pen, enum paint paint, const char *format, ...)
{
    char text[512];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length > 0)
        pen_text(pen, paint, text);
}

void pen_outside(struct pen *pen, enum paint paint, const char *text)
{
    struct buf escaped = BUF_INIT;

    escape_text(&escaped, text, strlen(text));
    pen_buf(pen, paint, &escaped);
    buf_done(&escaped);
}

/* Where the end of the text begins that takes at most so many columns. */
static size_t end_that_fits(const struct buf *text, int room)
{
    size_t at = 0, columns;

    while (escape_fit(text->data + at, text->length - at, (size_t)room, &columns) <
           text->length - at)
        do
            at++;
        while (at < text->length && ((unsigned char)text->data[at] & 0xc0) == 0x80);
    return at;
}

void pen_ends(struct pen *pen, enum paint paint, const char *text)
{
    struct buf escaped = BUF_INIT;
    struct pen head = *pen;
    int room = pen->end - pen->column;
    size_t from = 0;

    escape_text(&escaped, text, strlen(text));
    if (room > 2 && escaped.length && end_that_fits(&escaped, room) > 0) {
        head.end = head.column + room / 2 + 1;
        pen_buf(&head, paint, &escaped); /* what is cut off is marked */
        pen->column = head.column;
        from = end_that_fits(&escaped, pen->end - pen->column);
    }
    if (escaped.length)
        pen_put(pen, paint, escaped.data + from, escaped.length - from);
    buf_done(&escaped);
}

void pen_blanks(struct pen *pen, enum paint paint, int count)
{
    attrset((int)pen->terminal->attributes[paint]);
    for (; count > 0 && pen->column < pen->end; count--)
        mvaddch(pen->row, pen->column++, ' ');
    attrset(A_NORMAL);
}

void pen_fill(struct pen *pen, enum paint paint)
{
    pen_blanks(pen, paint, pen->end - pen->column);
}
