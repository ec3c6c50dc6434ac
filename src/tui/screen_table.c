/* SPDX-License-Identifier: MIT */
/* The table and the lines around it: what is counted and how, interfaces, filter, keys. */
#include "tui/screen.h"

#include "base/escape.h"
#include "base/graph.h"
#include "tui/quantity.h"

#include <stdio.h>
#include <time.h>

#define CURVE_LINES 4
#define WIDE 110

/* --- the first lines --- */

/* Of all rows, since the reading before. */
static void draw_sum(const struct tui *tui, struct pen *pen)
{
    struct buf text = BUF_INIT;
    uint64_t rx = 0, tx = 0;

    for (uint32_t row = 0; row < tui->list.count; row++) {
        rx += tui->list.rows[row].rx;
        tx += tui->list.rows[row].tx;
    }
    buf_puts(&text, "  RX ");
    quantity_rate(&text, rx, !tui->settings->bytes);
    buf_puts(&text, "  TX ");
    quantity_rate(&text, tx, !tui->settings->bytes);
    pen_buf(pen, PAINT_PLAIN, &text);
    buf_done(&text);
}

static void draw_title(const struct tui *tui, int line)
{
    const struct level *level = &tui->levels[tui->level];
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);
    time_t seconds = (time_t)(tui->status.time_ns / 1000000000);
    char clock[32] = "";
    struct tm broken;

    if (localtime_r(&seconds, &broken))
        strftime(clock, sizeof(clock), "%T", &broken);
    pen_text(&pen, PAINT_TITLE, "nwho");
    if (tui->paused)
        pen_text(&pen, PAINT_WARN, "  PAUSED");
    else if (tui->source->replay)
        pen_text(&pen, PAINT_GOOD, "  PLAYING");
    if (tui->frozen)
        pen_text(&pen, PAINT_WARN, "  FROZEN");
    if (tui->settings->no_loopback)
        pen_text(&pen, PAINT_WARN, "  no lo");
    pen_printf(&pen, PAINT_PLAIN, "  by %s", tui->source->groupings[level->grouping].name);
    pen_printf(&pen, PAINT_PLAIN, "  window %s", tui->source->windows[tui->settings->window].name);
    if (tui->answered && tui->answer.sort)
        pen_printf(&pen, PAINT_PLAIN, "  sort %s", tui->answer.sort->name);
    pen_text(&pen, PAINT_PLAIN, "  ");
    pen_outside(&pen, PAINT_PLAIN, tui->status.host ? tui->status.host : "");
    pen_printf(&pen, PAINT_PLAIN, "  %s  ", clock);
    if (!tui->answered)
        return;
    pen_printf(&pen, PAINT_DIM, "%u row%s", tui->answer.grid.row_count,
               tui->answer.grid.row_count == 1 ? "" : "s");
    if (tui->terminal.columns >= WIDE)
        draw_sum(tui, &pen);
}

/* Where we are: "nginx(1203) > java(7)   filter: dport 443" */
static void draw_path(const struct tui *tui, int line)
{
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);

    if (*tui->settings->filter) {
        pen_text(&pen, PAINT_KEY, "filter: ");
        pen_outside(&pen, PAINT_PLAIN, tui->settings->filter);
        pen_text(&pen, PAINT_PLAIN, "  ");
    }
    for (uint32_t i = 1; i <= tui->level; i++) {
        pen_text(&pen, PAINT_KEY, i > 1 ? " > " : "in ");
        pen_text(&pen, PAINT_TITLE, tui->levels[i].title);
    }
}

static int draw_curve(const struct tui *tui, int line)
{
    const struct level *level = &tui->levels[tui->level];
    uint64_t values[SERIES_LENGTH], largest;
    uint32_t count, columns = (uint32_t)tui->terminal.columns;
    struct buf text = BUF_INIT;

    if (tui->level == 0 || tui->terminal.rows < 20)
        return line;
    if (columns > SERIES_LENGTH)
        columns = SERIES_LENGTH;
    count = series_get(&tui->series, level->opened, values);
    largest = graph_largest(values, count);
    for (uint32_t i = 0; i < CURVE_LINES; i++) {
        struct pen pen = pen_at(&tui->terminal, line + (int)i, 0, -1);

        buf_reset(&text);
        graph_curve(&text, values, count, largest, columns, CURVE_LINES, i, tui->terminal.glyphs);
        pen_buf(&pen, PAINT_GOOD, &text);
        buf_reset(&text);
        buf_byte(&text, ' ');
        if (i == 0)
            quantity_rate(&text, largest, !tui->settings->bytes);
        else if (i + 1 == CURVE_LINES)
            buf_byte(&text, '0');
        pen_buf(&pen, PAINT_DIM, &text);
    }
    buf_done(&text);
    return line + CURVE_LINES;
}

static int draw_head(const struct tui *tui)
{
    int line = 0, rows = tui->terminal.rows;

    draw_title(tui, line++);
    if (rows >= 6 && tui->source->replay)
        screen_timeline_draw(tui, line++);
    if (rows >= 4)
        line = screen_strip_draw(tui, line);
    if (rows >= 6 && (tui->level || *tui->settings->filter))
        draw_path(tui, line++);
    return draw_curve(tui, line);
}

/* --- the last lines --- */

static void draw_hints(const struct tui *tui, int line)
{
    static const struct hint {
        const char *key, *word;
    } present[] =
        {
            {"?", "help"},   {"q", "quit"},  {"/", "filter"},   {"b", "group"},
            {"w", "window"}, {"<>", "sort"}, {"Enter", "open"}, {"Space", "pause"},
            {"f", "freeze"}, {"u", "units"}, {"k", "destroy"},  {"c", "command line"},
        },
      past[] = {
          {"?", "help"},  {"q", "quit"},   {"Space", "play"}, {"[]", "step"},
          {"{}", "leap"}, {"t", "time"},   {"+-", "speed"},   {"/", "filter"},
          {"b", "group"}, {"w", "window"}, {"Enter", "open"}, {"c", "command line"},
      };
    const struct hint *hints = tui->source->replay ? past : present;
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);

    for (size_t i = 0; i < ARRAY_SIZE(present); i++) {
        int wanted = (int)(strlen(hints[i].key) + strlen(hints[i].word)) + 1;

        if (i > 0 && pen.column + 2 + wanted > pen.end)
            break;
        pen_text(&pen, PAINT_PLAIN, i ? "  " : "");
        pen_text(&pen, PAINT_KEY, hints[i].key);
        pen_printf(&pen, PAINT_DIM, " %s", hints[i].word);
    }
}

/* What there is to say of the row that was selected, or is sick; false: nothing. */
static bool draw_explanation(const struct tui *tui, struct pen *pen)
{
    uint32_t row = list_row(&tui->list);
    struct buf line = BUF_INIT;
    bool any;

    if (tui->answered && row != LIST_NO_ROW && tui->source->explain &&
        (tui->list.follows || tui->list.rows[row].sick))
        tui->source->explain(tui->source->context, &tui->answer.grid, row, &line);
    any = line.length > 0;
    if (any)
        pen_outside(pen, tui->list.rows[row].sick ? PAINT_WARN : PAINT_DIM, buf_string(&line));
    buf_done(&line);
    return any;
}

static void draw_foot(const struct tui *tui, int line)
{
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);

    if (tui->message.length)
        pen_buf(&pen, tui->message_is_error ? PAINT_WARN : PAINT_KEY, &tui->message);
    else if (!draw_explanation(tui, &pen))
        draw_hints(tui, line);
}

/* The lines above a question; gives the line that the first one is on. At least half of the screen
 * stays. */
static int draw_question(const struct tui *tui, int foot)
{
    const char *at = tui->question.data, *end = at + tui->question.length;
    int lines = 0, most = tui->terminal.rows / 2;

    for (const char *byte = at; byte < end; byte++)
        lines += *byte == '\n';
    if (lines > most)
        lines = most;
    for (int i = 0; i < lines; i++) {
        struct pen pen = pen_at(&tui->terminal, foot - lines + i, 0, -1);
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        pen_put(&pen, PAINT_TITLE, at, (size_t)(stop - at));
        at = stop + 1;
    }
    return foot - lines;
}

/* --- the table --- */

static void draw_nothing(const struct tui *tui, int line, int height)
{
    const char *usual = tui->status.nothing ? tui->status.nothing : "No traffic yet.";
    const char *text = tui->status.note && !tui->answered ? "" : usual;
    struct pen pen;
    int column;

    if (tui->answer.incomplete)
        text = "It is read in a moment.";
    else if (*tui->settings->filter)
        text = "No traffic that the filter lets pass.";
    else if (tui->level && !tui->source->replay)
        text = "No traffic of this any more.";
    column = (tui->terminal.columns - (int)strlen(text)) / 2;
    pen = pen_at(&tui->terminal, line + (height > 1 ? height / 2 : 0), column < 0 ? 0 : column, -1);
    pen_text(&pen, PAINT_TITLE, text);
}

static void draw_table(struct tui *tui, int line, int end)
{
    struct list_units units = {.bytes = tui->settings->bytes,
                               .total_bits = tui->settings->total_bits};

    tui->table_line = line;
    if (end <= line)
        return;
    if (tui->answered && tui->answer.grid.column_count)
        list_draw(&tui->list, &tui->terminal, &tui->answer, &tui->series, &units, line, end - line);
    if (!tui->answered || tui->answer.grid.row_count == 0)
        draw_nothing(tui, line + 1, end - line - 1);
}

void tui_draw(struct tui *tui)
{
    int cursor_row = -1, cursor_column = -1, foot;

    terminal_clear();
    if (tui->screen == SCREEN_HELP) {
        screen_help_draw(tui);
        terminal_show(-1, -1);
        return;
    }
    foot = tui->terminal.rows - (tui_asks(tui) ? 2 : 1);
    draw_table(tui, draw_head(tui),
               tui->screen == SCREEN_CONFIRM ? draw_question(tui, foot) : foot);
    if (tui_asks(tui))
        prompt_draw(&tui->prompt, &tui->terminal, foot > 0 ? foot : 0, &cursor_row, &cursor_column);
    else
        draw_foot(tui, foot);
    terminal_show(cursor_row, cursor_column);
}
