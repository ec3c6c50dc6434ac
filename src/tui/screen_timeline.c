/* SPDX-License-Identifier: MIT */
/* The line that says where in the past it is: the piece, a bar of the whole time, its ends, and how
 * fast it is played. */
#include "tui/screen.h"

#include "base/graph.h"

#include <time.h>

#define WIDE 72       /* from here on the ends have their day */
#define BAR_COLUMNS 5 /* at least */

/* "2026-11-20 03:00:15", from a character of it on so many. */
static void put_time(struct buf *out, uint64_t time_ns, size_t from, size_t count)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    char text[32] = "";
    struct tm broken;

    if (localtime_r(&seconds, &broken) && strftime(text, sizeof(text), "%F %T", &broken) == 19)
        buf_put(out, text + from, count);
}

/* "11-20 03:00 to 11-20 05:00  10x" */
static void put_ends(const struct tui *tui, struct buf *out)
{
    const struct tui_replay *replay = tui->source->replay;
    bool wide = tui->terminal.columns >= WIDE;
    size_t from = wide ? 5 : 11, count = wide ? 11 : 5;

    buf_puts(out, "  ");
    put_time(out, replay->since_ns, from, count);
    buf_puts(out, " to ");
    put_time(out, replay->until_ns, from, count);
    buf_puts(out, "  ");
    playing_put_speed(tui, out);
}

void screen_timeline_draw(const struct tui *tui, int line)
{
    const struct tui_replay *replay = tui->source->replay;
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);
    struct buf ends = BUF_INIT, text = BUF_INIT;
    int columns;

    put_ends(tui, &ends);
    put_time(&text, tui->status.time_ns, 0, 19);
    pen_buf(&pen, PAINT_TITLE, &text);
    columns = tui->terminal.columns - pen.column - 4 - (int)ends.length;
    if (columns >= BAR_COLUMNS) {
        buf_reset(&text);
        graph_bar(&text, tui->playing.piece + 1, replay->count, (uint32_t)columns,
                  tui->terminal.glyphs);
        pen_text(&pen, PAINT_DIM, "  [");
        pen_buf(&pen, PAINT_GOOD, &text);
        pen_text(&pen, PAINT_DIM, "]");
    }
    pen_buf(&pen, PAINT_DIM, &ends);
    buf_done(&ends);
    buf_done(&text);
}
