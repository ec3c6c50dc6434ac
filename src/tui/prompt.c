/* SPDX-License-Identifier: MIT */
/* Prompt: a line editor. The text holds nothing that would have to be escaped. */
#include "tui/prompt.h"

#include "base/escape.h"
#include "tui/keys.h"

#include <stdio.h>

void prompt_begin(struct prompt *prompt, const char *label, const char *text, const char *hint)
{
    *prompt = (struct prompt){.label = label};
    snprintf(prompt->text, sizeof(prompt->text), "%s", text);
    snprintf(prompt->message, sizeof(prompt->message), "%s", hint);
    prompt->length = prompt->cursor = (uint32_t)strlen(prompt->text);
    prompt->selected = prompt->length > 0;
}

void prompt_error(struct prompt *prompt, uint32_t at, uint32_t length, const char *message)
{
    prompt->is_error = true;
    prompt->at = at < prompt->length ? at : prompt->length;
    prompt->error_length = length;
    snprintf(prompt->message, sizeof(prompt->message), "%s", message);
}

/* --- editing --- */

static uint32_t before(const struct prompt *prompt, uint32_t at)
{
    while (at > 0 && ((unsigned char)prompt->text[--at] & 0xc0) == 0x80)
        ;
    return at;
}

static uint32_t behind(const struct prompt *prompt, uint32_t at)
{
    if (at < prompt->length)
        at++;
    while (at < prompt->length && ((unsigned char)prompt->text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static void delete_bytes(struct prompt *prompt, uint32_t from, uint32_t to)
{
    memmove(prompt->text + from, prompt->text + to, prompt->length - to + 1);
    prompt->length -= to - from;
    prompt->cursor = from;
}

static uint32_t word_before(const struct prompt *prompt)
{
    uint32_t at = prompt->cursor;

    while (at > 0 && prompt->text[at - 1] == ' ')
        at--;
    while (at > 0 && prompt->text[at - 1] != ' ')
        at--;
    return at;
}

static uint32_t encode(uint32_t character, char bytes[4])
{
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        bytes[0] = (char)(0xc0 | character >> 6);
        bytes[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        bytes[0] = (char)(0xe0 | character >> 12);
        bytes[1] = (char)(0x80 | (character >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    bytes[0] = (char)(0xf0 | character >> 18);
    bytes[1] = (char)(0x80 | (character >> 12 & 0x3f));
    bytes[2] = (char)(0x80 | (character >> 6 & 0x3f));
    bytes[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

/* Only what shows as itself: pasted text may hold anything. */
static bool shows_as_itself(const char *bytes, uint32_t length)
{
    struct buf escaped = BUF_INIT;
    bool same;

    escape_text(&escaped, bytes, length);
    same = !escaped.error && escaped.length == length && memcmp(escaped.data, bytes, length) == 0;
    buf_done(&escaped);
    return same || (length == 1 && *bytes == '\\');
}

static void insert(struct prompt *prompt, uint32_t character)
{
    char bytes[4];
    uint32_t length;

    if (character < ' ' || character >= TUI_KEY_NONE)
        return;
    length = encode(character, bytes);
    if (prompt->length + length >= sizeof(prompt->text) || !shows_as_itself(bytes, length))
        return;
    memmove(prompt->text + prompt->cursor + length, prompt->text + prompt->cursor,
            prompt->length - prompt->cursor + 1);
    memcpy(prompt->text + prompt->cursor, bytes, length);
    prompt->length += length;
    prompt->cursor += length;
}

/* Keys that end the field, or go through its text, leave what is selected. */
static void take_selected(struct prompt *prompt, uint32_t key)
{
    bool typed = key >= ' ' && key < TUI_KEY_NONE;

    if (prompt->selected && (typed || key == TUI_KEY_BACKSPACE || key == TUI_KEY_DELETE))
        delete_bytes(prompt, 0, prompt->length);
    prompt->selected = false;
}

enum prompt_result prompt_key(struct prompt *prompt, uint32_t key)
{
    uint32_t cursor;

    take_selected(prompt, key);
    cursor = prompt->cursor;
    if (prompt->is_error)
        prompt->message[0] = '\0';
    prompt->is_error = false;
    switch (key) {
    case TUI_KEY_ENTER:
        return PROMPT_DONE;
    case TUI_KEY_ESCAPE:
    case TUI_CONTROL('G'):
        return PROMPT_CANCELLED;
    case TUI_KEY_BACKSPACE:
        delete_bytes(prompt, before(prompt, cursor), cursor);
        break;
    case TUI_KEY_DELETE:
    case TUI_CONTROL('D'):
        delete_bytes(prompt, cursor, behind(prompt, cursor));
        break;
    case TUI_CONTROL('U'):
        delete_bytes(prompt, 0, cursor);
        break;
    case TUI_CONTROL('K'):
        delete_bytes(prompt, cursor, prompt->length);
        break;
    case TUI_CONTROL('W'):
        delete_bytes(prompt, word_before(prompt), cursor);
        break;
    case TUI_KEY_LEFT:
    case TUI_CONTROL('B'):
        prompt->cursor = before(prompt, cursor);
        break;
    case TUI_KEY_RIGHT:
    case TUI_CONTROL('F'):
        prompt->cursor = behind(prompt, cursor);
        break;
    case TUI_KEY_HOME:
    case TUI_CONTROL('A'):
        prompt->cursor = 0;
        break;
    case TUI_KEY_END:
    case TUI_CONTROL('E'):
        prompt->cursor = prompt->length;
        break;
    default:
        insert(prompt, key);
    }
    return PROMPT_GOES_ON;
}

/* --- drawing --- */

static int columns_of(const char *text, uint32_t length)
{
    size_t columns;

    escape_fit(text, length, SIZE_MAX, &columns);
    return (int)columns;
}

/* The byte that the visible part begins with, so that the cursor and what is wrong are seen. */
static uint32_t first_seen(const struct prompt *prompt, int room)
{
    uint32_t important = prompt->is_error ? prompt->at : prompt->cursor, first = 0;

    if (room < 1)
        return important;
    while (first < important && columns_of(prompt->text + first, important - first) >= room)
        first = behind(prompt, first);
    return first;
}

/* "   ^~~~ what is wrong", and where that has no room to the right, in front of the caret. */
static void draw_error(const struct prompt *prompt, const struct terminal *terminal, int line,
                       int column)
{
    struct pen pen = pen_at(terminal, line, 0, -1);
    int wanted = columns_of(prompt->message, (uint32_t)strlen(prompt->message));
    uint32_t wrong = prompt->error_length ? prompt->error_length : 1;
    bool in_front = column + (int)wrong + 1 + wanted > terminal->columns && wanted + 1 <= column;

    if (wrong > prompt->length - prompt->at)
        wrong = prompt->length > prompt->at ? prompt->length - prompt->at : 1;
    wrong = (uint32_t)columns_of(prompt->text + prompt->at, wrong);
    if (in_front)
        pen_outside(&pen, PAINT_WARN, prompt->message);
    pen_blanks(&pen, PAINT_PLAIN, column - pen.column);
    for (uint32_t i = 0; i < (wrong ? wrong : 1) && pen.column < pen.end; i++)
        pen_text(&pen, PAINT_WARN, i == 0 ? "^" : "~");
    pen_blanks(&pen, PAINT_PLAIN, 1);
    if (!in_front)
        pen_outside(&pen, PAINT_WARN, prompt->message);
}

void prompt_draw(const struct prompt *prompt, const struct terminal *terminal, int line,
                 int *ret_row, int *ret_column)
{
    struct pen pen = pen_at(terminal, line, 0, -1);
    uint32_t first;
    int begin;

    pen_text(&pen, PAINT_KEY, prompt->label);
    pen_text(&pen, PAINT_PLAIN, " ");
    begin = pen.column;
    first = first_seen(prompt, pen.end - begin);
    pen_put(&pen, prompt->selected ? PAINT_SELECTED : PAINT_PLAIN, prompt->text + first,
            prompt->length - first);
    *ret_row = line;
    *ret_column = begin;
    if (prompt->cursor > first)
        *ret_column += columns_of(prompt->text + first, prompt->cursor - first);
    if (*ret_column >= terminal->columns)
        *ret_column = terminal->columns - 1;
    if (prompt->is_error) {
        draw_error(prompt, terminal, line + 1,
                   begin + columns_of(prompt->text + first, prompt->at - first));
        return;
    }
    pen = pen_at(terminal, line + 1, 0, -1);
    pen_outside(&pen, PAINT_DIM, prompt->message);
}
