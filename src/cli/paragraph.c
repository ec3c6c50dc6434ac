/* SPDX-License-Identifier: MIT */
/* Breaks lines between words, and within text in Chinese between characters. */
#include "cli/paragraph.h"

#include "base/escape.h"
#include "base/translate.h"
#include "cli/show.h"

#define WIDTH_OF_FILES 100
#define LABEL 8

uint32_t paragraph_width(void)
{
    uint32_t columns = show_terminal().ws_col;

    return columns ? columns : WIDTH_OF_FILES;
}

/* What is never parted: a word, or a wide character with the punctuation that belongs to it. */
struct piece {
    size_t length;  /* in bytes */
    size_t columns; /* on the terminal */
};

/* A character of text that escape_text() wrote. */
static struct piece character_at(const char *text, size_t length)
{
    struct piece piece = {.length = 1};

    while (piece.length < length && ((unsigned char)text[piece.length] & 0xc0) == 0x80)
        piece.length++;
    if (!escape_fit(text, piece.length, 2, &piece.columns))
        piece.columns = 1;
    return piece;
}

static bool is_one_of(const char *text, struct piece piece, const char *characters)
{
    char character[8] = "";

    if (piece.length >= sizeof(character))
        return false;
    memcpy(character, text, piece.length);
    return strstr(characters, character) != NULL;
}

/* Whether a line may end before the character `next`: beside a wide one, but no line begins with
 * what closes, or ends with what opens. */
static bool may_break(const char *last_text, struct piece last, const char *next_text,
                      struct piece next)
{
    if (last.columns < 2 && next.columns < 2)
        return false;
    return !is_one_of(next_text, next, "，。、；：？！）》」』】”’…—,.;:?!)]}%") &&
           !is_one_of(last_text, last, "（《「『【“‘([{");
}

static struct piece piece_at(const char *text, size_t length)
{
    struct piece piece = {.length = 0}, last = {.length = 0};

    while (piece.length < length && text[piece.length] != ' ') {
        const char *at = text + piece.length;
        struct piece next = character_at(at, length - piece.length);

        if (piece.length && may_break(at - last.length, last, at, next))
            break;
        piece.length += next.length;
        piece.columns += next.columns;
        last = next;
    }
    return piece;
}

void paragraph_put(struct buf *out, const char *bytes, size_t length, uint32_t indent,
                   uint32_t width)
{
    struct buf text = BUF_INIT;
    size_t at = 0, column = indent;
    bool blank = false;

    escape_text(&text, bytes, length);
    while (at < text.length) {
        struct piece piece = piece_at(text.data + at, text.length - at);

        if (column > indent && column + blank + piece.columns > width) {
            buf_byte(out, '\n');
            buf_pad(out, indent);
            column = indent;
        } else if (column > indent && blank) {
            buf_byte(out, ' ');
            column++;
        }
        buf_put(out, text.data + at, piece.length);
        column += piece.columns;
        at += piece.length;
        blank = at < text.length && text.data[at] == ' ';
        at += blank;
    }
    buf_byte(out, '\n');
    if (text.error && !out->error)
        out->error = text.error;
    buf_done(&text);
}

void paragraph_put_behind(struct buf *out, const char *word, const char *text, size_t length,
                          uint32_t width)
{
    size_t columns = escape_text(out, word, strlen(word));

    paragraph_put(out, text, length, (uint32_t)columns, width);
}

void paragraph_put_labelled(struct buf *out, const char *label, const char *text, size_t length,
                            uint32_t width)
{
    size_t columns;

    label = translated(label);
    buf_puts(out, "  ");
    columns = escape_text(out, label, strlen(label));
    buf_pad(out, columns < LABEL ? LABEL - columns : 1);
    paragraph_put(out, text, length, 2 + LABEL, width);
}
