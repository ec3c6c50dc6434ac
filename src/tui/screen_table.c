/* SPDX-License-Identifier: MIT */
/* The table and the lines around it: what is counted and how, interfaces, filter, keys. */
#include "tui/screen.h"

#include "base/escape.h"
#include "tui/graph.h"
#include "tui/quantity.h"

#include <stdio.h>
#include <time.h>

#define NAME_COLUMNS 12
#define RATE_COLUMNS 12
#define CURVE_LINES 4
#define WIDE 110

/* --- the first lines --- */

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
    if (tui->frozen)
        pen_text(&pen, PAINT_WARN, "  FROZEN");
    pen_printf(&pen, PAINT_PLAIN, "  by %s", tui->source->groupings[level->grouping].name);
    pen_printf(&pen, PAINT_PLAIN, "  window %s", tui->source->windows[tui->settings->window].name);
    if (tui->answered && tui->answer.sort)
        pen_printf(&pen, PAINT_PLAIN, "  sort %s", tui->answer.sort->name);
    pen_text(&pen, PAINT_PLAIN, "  ");
    pen_outside(&pen, PAINT_PLAIN, tui->status.host ? tui->status.host : "");
    pen_printf(&pen, PAINT_PLAIN, "  %s  ", clock);
    if (tui->answered)
        pen_printf(&pen, PAINT_DIM, "%u row%s", tui->answer.grid.row_count,
                   tui->answer.grid.row_count == 1 ? "" : "s");
}

static void draw_accounting(const struct tui *tui, int line)
{
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);
    const struct tui_status *status = &tui->status;

    if (status->accounting)
        pen_outside(&pen, status->exact ? PAINT_GOOD : PAINT_WARN, status->accounting);
    if (status->reconcile && *status->reconcile) {
        pen_text(&pen, PAINT_PLAIN, "  ");
        pen_outside(&pen, PAINT_PLAIN, status->reconcile);
    }
    if (status->note && *status->note) {
        pen_text(&pen, PAINT_PLAIN, "  ");
        pen_outside(&pen, PAINT_WARN, status->note);
    }
}

static void draw_direction(const struct tui *tui, struct pen *pen, const char *title,
                           const struct series *series, const struct tui_interface *interface,
                           enum paint paint)
{
    bool rx = series == &tui->rx;
    uint64_t values[SERIES_LENGTH];
    struct buf text = BUF_INIT;
    uint32_t count = series_get(series, interface->identity, values);
    uint32_t columns = tui->terminal.columns < 100 ? 8 : 16;

    pen_printf(pen, PAINT_PLAIN, " %s ", title);
    if (interface->known)
        quantity_rate(&text, rx ? interface->rx : interface->tx, !tui->settings->bytes);
    else
        buf_byte(&text, '-');
    pen_blanks(pen, paint, RATE_COLUMNS - (int)text.length);
    pen_buf(pen, paint, &text);
    buf_reset(&text);
    buf_byte(&text, ' ');
    graph_spark(&text, values, count, columns, tui->terminal.glyphs);
    pen_buf(pen, paint, &text);
    buf_done(&text);
}

static void draw_interface(const struct tui *tui, const struct tui_interface *interface, int line)
{
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);
    struct pen name = pen_at(&tui->terminal, line, 0, NAME_COLUMNS);

    pen_outside(&name, PAINT_TITLE, interface->name);
    pen_fill(&name, PAINT_PLAIN);
    pen.column = name.column;
    draw_direction(tui, &pen, "RX", &tui->rx, interface, PAINT_RX);
    draw_direction(tui, &pen, "TX", &tui->tx, interface, PAINT_TX);
    pen_printf(&pen, interface->errors ? PAINT_WARN : PAINT_DIM, "  err %llu",
               (unsigned long long)interface->errors);
    pen_printf(&pen, interface->drops ? PAINT_WARN : PAINT_DIM, " drop %llu",
               (unsigned long long)interface->drops);
    if (interface->known && tui->terminal.columns >= WIDE)
        pen_printf(&pen, PAINT_DIM, "  %llu/%llu packets/s",
                   (unsigned long long)interface->rx_packets,
                   (unsigned long long)interface->tx_packets);
}

/* How many lines the interfaces may have: the table has most of the room. */
static uint32_t interface_lines(const struct tui *tui)
{
    int rows = tui->terminal.rows;
    uint32_t lines = rows < 10 ? 0 : rows < 16 ? 1 : (uint32_t)rows / 8;

    return lines < tui->status.interface_count ? lines : tui->status.interface_count;
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
    uint32_t interfaces = interface_lines(tui);
    int line = 0, rows = tui->terminal.rows;

    draw_title(tui, line++);
    if (rows >= 4)
        draw_accounting(tui, line++);
    for (uint32_t i = 0; i < interfaces; i++)
        draw_interface(tui, &tui->status.interfaces[i], line++);
    if (rows >= 6 && (tui->level || *tui->settings->filter))
        draw_path(tui, line++);
    return draw_curve(tui, line);
}

/* --- the last lines --- */

static void draw_hints(const struct tui *tui, int line)
{
    static const struct {
        const char *key, *word;
    } hints[] = {
        {"?", "help"},   {"q", "quit"},  {"/", "filter"},   {"b", "group"},
        {"w", "window"}, {"<>", "sort"}, {"Enter", "open"}, {"Space", "pause"},
        {"f", "freeze"}, {"u", "units"}, {"k", "kill"},     {"c", "command line"},
    };
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);

    for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
        int wanted = (int)(strlen(hints[i].key) + strlen(hints[i].word)) + 1;

        if (i > 0 && pen.column + 2 + wanted > pen.end)
            break;
        pen_text(&pen, PAINT_PLAIN, i ? "  " : "");
        pen_text(&pen, PAINT_KEY, hints[i].key);
        pen_printf(&pen, PAINT_DIM, " %s", hints[i].word);
    }
}

static void draw_foot(const struct tui *tui, int line)
{
    struct pen pen = pen_at(&tui->terminal, line, 0, -1);

    if (tui->message.length)
        pen_buf(&pen, tui->message_is_error ? PAINT_WARN : PAINT_KEY, &tui->message);
    else
        draw_hints(tui, line);
}

static bool has_prompt(const struct tui *tui)
{
    return tui->screen == SCREEN_FILTER || tui->screen == SCREEN_SORT;
}

/* --- the table --- */

static void draw_nothing(const struct tui *tui, int line, int height)
{
    const char *text = tui->status.note && !tui->answered ? "" : "No traffic yet.";
    struct pen pen;
    int column;

    if (*tui->settings->filter)
        text = "No traffic that the filter lets pass.";
    else if (tui->level)
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
    foot = tui->terminal.rows - (has_prompt(tui) ? 2 : 1);
    draw_table(tui, draw_head(tui), foot);
    if (has_prompt(tui))
        prompt_draw(&tui->prompt, &tui->terminal, foot > 0 ? foot : 0, &cursor_row, &cursor_column);
    else
        draw_foot(tui, foot);
    terminal_show(cursor_row, cursor_column);
}
