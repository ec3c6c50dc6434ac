/* SPDX-License-Identifier: MIT */
/* The columns of ss(8): widths, room of a terminal spread over the columns, blocks. */
#include "compat/ss_layout.h"

#include "base/escape.h"
#include "base/vec.h"

#include <sys/ioctl.h>

/*
 * How the real tool keeps fields: in chunks of 1 MiB with two words in front, each field with its
 * 16-bit length before it and an even number of bytes. A line ends with one more field that is
 * always empty; there it prints when a fifth chunk has been begun.
 */
#define CHUNK_ROOM ((1u << 20) - 16)
#define CHUNKS_MAX 5
#define FIELD_HEAD 2u
#define FIELD_MAX UINT16_MAX

struct column_form {
    const char *title;
    bool gap;   /* a blank before it */
    bool right; /* aligned to the right */
};

static const struct column_form forms[SS_COLUMN_MAX] = {
    [SS_COLUMN_NETID] = {"Netid", false, false},
    [SS_COLUMN_STATE] = {"State", true, false},
    [SS_COLUMN_RECV_Q] = {"Recv-Q", true, false},
    [SS_COLUMN_SEND_Q] = {"Send-Q", true, false},
    [SS_COLUMN_LOCAL_ADDRESS] = {"Local Address:", true, true},
    [SS_COLUMN_LOCAL_PORT] = {"Port", false, false},
    [SS_COLUMN_PEER_ADDRESS] = {"Peer Address:", true, true},
    [SS_COLUMN_PEER_PORT] = {"Port", false, false},
    [SS_COLUMN_PROCESS] = {"Process", false, false},
};

void ss_layout_init(struct ss_layout *layout)
{
    struct winsize size;

    *layout = (struct ss_layout){.text = BUF_INIT, .out = BUF_SINK(STDOUT_FILENO)};
    layout->terminal = isatty(STDOUT_FILENO);
    if (layout->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        layout->screen = size.ws_col;
}

void ss_layout_done(struct ss_layout *layout)
{
    buf_done(&layout->text);
    buf_done(&layout->out);
    free(layout->lengths);
    layout->lengths = NULL;
}

/* --- widths --- */

/* What each column needs, never more than a line of the screen. */
static void measure_columns(struct ss_layout *layout)
{
    bool first = true;

    for (unsigned int i = 0; i < SS_COLUMN_MAX; i++) {
        uint32_t width = layout->columns[i].widest;

        if (layout->columns[i].hidden)
            continue;
        if (!first && width)
            width += forms[i].gap;
        if (layout->screen && width > (uint32_t)layout->screen)
            width = (uint32_t)layout->screen;
        layout->columns[i].width = width;
        if (width)
            first = false;
    }
}

/* Widens columns first..last so that they fill the line; what cannot be shared goes to the last. */
static void spread(struct ss_layout *layout, int first, int last, uint32_t count, uint32_t used)
{
    uint32_t room = (uint32_t)layout->screen - used;
    uint32_t each = room / count, rest = room % count;

    for (int i = last; i >= first; i--) {
        if (!layout->columns[i].width)
            continue;
        layout->columns[i].width += each;
        if (rest) {
            layout->columns[i].width++;
            rest--;
        }
    }
}

static bool is_last_wide(const struct ss_layout *layout, int column)
{
    for (int i = column + 1; i < SS_COLUMN_MAX; i++)
        if (layout->columns[i].width)
            return false;
    return true;
}

/* Cuts the columns into lines of the screen, and fills each line. */
static void fit_screen(struct ss_layout *layout)
{
    uint32_t used = 0, count = 0, screen = (uint32_t)layout->screen;
    int first = 0;

    for (int i = 0; i < SS_COLUMN_MAX; i++) {
        if (!layout->columns[i].width)
            continue;
        count++;
        used += layout->columns[i].width;
        if (!is_last_wide(layout, i) && used < screen)
            continue;
        if (used > screen) { /* this one begins the next line */
            used -= layout->columns[i].width;
            count--;
            i--;
        }
        if (used < screen && count)
            spread(layout, first, i, count, used);
        first = i + 1;
        used = 0;
        count = 0;
    }
}

/* --- printing --- */

static void print_field(struct ss_layout *layout, enum ss_column column, const char *text,
                        size_t length, bool first)
{
    size_t width = layout->columns[column].width;
    size_t gap = !first && forms[column].gap;
    size_t room = width > gap + length ? width - gap - length : 0;

    buf_pad(&layout->out, gap + (forms[column].right ? room : 0));
    buf_put(&layout->out, text, length);
    if (!forms[column].right)
        buf_pad(&layout->out, room);
}

/* Prints every field that there is and begins anew. */
static void print_block(struct ss_layout *layout)
{
    const char *text = layout->text.data;
    unsigned int column = 0;
    bool first = true;

    measure_columns(layout);
    if (layout->screen)
        fit_screen(layout);
    while (layout->columns[column].hidden)
        column++;
    for (uint32_t i = 0; i < layout->field_count; i++) {
        print_field(layout, column, text, layout->lengths[i], first);
        text += layout->lengths[i];
        first = false;
        do
            column++;
        while (column < SS_COLUMN_MAX && layout->columns[column].hidden);
        if (column < SS_COLUMN_MAX)
            continue;
        buf_byte(&layout->out, '\n');
        first = true;
        for (column = 0; layout->columns[column].hidden;)
            column++;
    }
    if (!first)
        buf_byte(&layout->out, '\n');
    layout->field_count = 0;
    buf_reset(&layout->text);
    layout->chunks = 0;
    layout->chunk_use = 0;
}

/* --- fields --- */

static void begin_chunk(struct ss_layout *layout)
{
    layout->chunks++;
    layout->chunk_use = FIELD_HEAD;
}

/* Where the real tool would have put a field of this length. */
static void use_chunk(struct ss_layout *layout, uint32_t length)
{
    if (!layout->chunks)
        begin_chunk(layout);
    if (length && length >= CHUNK_ROOM - layout->chunk_use && layout->chunk_use > FIELD_HEAD)
        begin_chunk(layout);
}

/* Keeps the field under way; a longer one is cut. Returns its length. */
static uint32_t keep_field(struct ss_layout *layout)
{
    size_t length = layout->text.length - layout->start;

    if (length > FIELD_MAX)
        length = FIELD_MAX;
    layout->text.length = layout->start + length;
    if (VEC_RESERVE(&layout->lengths, &layout->field_capacity, layout->field_count, 1) < 0) {
        layout->error = -ENOMEM;
        return 0;
    }
    layout->lengths[layout->field_count++] = (uint16_t)length;
    use_chunk(layout, (uint32_t)length);
    return (uint32_t)length;
}

/* Room for the head of the next field. */
static void reserve_head(struct ss_layout *layout, uint32_t length)
{
    uint32_t even = length + length % 2;

    if (CHUNK_ROOM - layout->chunk_use < even + FIELD_HEAD)
        begin_chunk(layout);
    else
        layout->chunk_use += even + FIELD_HEAD;
}

void ss_layout_next(struct ss_layout *layout)
{
    bool last = layout->at == SS_COLUMN_MAX - 1;
    uint32_t length;

    if (layout->columns[layout->at].hidden) {
        layout->text.length = layout->start;
        layout->at++;
        return;
    }
    length = keep_field(layout);
    if (length > layout->columns[layout->at].widest)
        layout->columns[layout->at].widest = length;
    reserve_head(layout, length);
    if (last && layout->chunks >= CHUNKS_MAX)
        print_block(layout);
    else if (last)
        reserve_head(layout, 0);
    layout->at = last ? 0 : layout->at + 1;
    layout->start = layout->text.length;
}

void ss_layout_go(struct ss_layout *layout, enum ss_column column)
{
    while (layout->at != column)
        ss_layout_next(layout);
}

void ss_layout_header(struct ss_layout *layout)
{
    for (unsigned int i = 0; i < SS_COLUMN_MAX; i++) {
        buf_puts(&layout->text, forms[i].title);
        ss_layout_next(layout);
    }
}

void ss_layout_foreign(struct ss_layout *layout, const char *bytes, size_t length)
{
    if (layout->terminal)
        escape_text(&layout->text, bytes, length);
    else
        buf_put(&layout->text, bytes, length);
}

/* The last field of the last line does not count for the width of its column. */
int ss_layout_finish(struct ss_layout *layout)
{
    if (layout->at != 0)
        keep_field(layout);
    if (layout->field_count)
        print_block(layout);
    layout->at = 0;
    layout->start = 0;
    buf_flush(&layout->out);
    if (layout->error < 0)
        return layout->error;
    return layout->text.error < 0 ? layout->text.error : layout->out.error;
}
