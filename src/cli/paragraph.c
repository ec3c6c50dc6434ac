/* SPDX-License-Identifier: MIT */
/* Breaks lines between words. */
#include "cli/paragraph.h"

#include "base/escape.h"
#include "cli/show.h"

#define WIDTH_OF_FILES 100
#define LABEL 8

uint32_t paragraph_width(void)
{
    uint32_t columns = show_terminal().ws_col;

    return columns ? columns : WIDTH_OF_FILES;
}

void paragraph_put(struct buf *out, const char *bytes, size_t length, uint32_t indent,
                   uint32_t width)
{
    struct buf text = BUF_INIT;
    size_t at = 0, column = indent;

    escape_text(&text, bytes, length);
    while (at < text.length) {
        size_t word = 0;

        while (at + word < text.length && text.data[at + word] != ' ')
            word++;
        if (column > indent && column + 1 + word > width) {
            buf_byte(out, '\n');
            buf_pad(out, indent);
            column = indent;
        }
        if (column > indent) {
            buf_byte(out, ' ');
            column++;
        }
        buf_put(out, text.data + at, word);
        column += word;
        at += word + (at + word < text.length);
    }
    buf_byte(out, '\n');
    if (text.error && !out->error)
        out->error = text.error;
    buf_done(&text);
}

void paragraph_put_labelled(struct buf *out, const char *label, const char *text, size_t length,
                            uint32_t width)
{
    buf_puts(out, "  ");
    buf_puts(out, label);
    buf_pad(out, LABEL - strlen(label));
    paragraph_put(out, text, length, 2 + LABEL, width);
}
