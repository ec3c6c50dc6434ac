/* SPDX-License-Identifier: MIT */
/* The strip at the top: how traffic is counted, and for each interface what its bytes are made of.
 */
#include "tui/screen.h"

#include "base/graph.h"
#include "tui/quantity.h"

#include <stdio.h>

#define RATE_COLUMNS 12
#define PART_COLUMNS 6
#define PARTS 4
#define COUNT_COLUMNS 8
#define WIDE 110
#define WIDEST 150

struct strip {
    const struct tui *tui;
    int name_columns, spark_columns;
    bool has_parts; /* of the past they are not known */
};

static void put_right(struct pen *pen, enum paint paint, const char *text, int columns)
{
    pen_blanks(pen, paint, columns - (int)strlen(text));
    pen_text(pen, paint, text);
}

static void put_count(struct pen *pen, uint64_t count, bool is_bad)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)count);
    put_right(pen, is_bad && count ? PAINT_WARN : PAINT_DIM, text, COUNT_COLUMNS);
}

/* In the first columns there is how it is counted. */
static void draw_heading(const struct strip *strip, struct pen *pen)
{
    static const char *const parts[PARTS] = {"NAMED", "~HEAD", "~FWD", "~NONE"};
    int columns = strip->tui->terminal.columns;
    int rates = strip->name_columns + RATE_COLUMNS - 2;

    if (pen->column >= rates)
        return;
    pen_blanks(pen, PAINT_DIM, rates - pen->column);
    pen_text(pen, PAINT_DIM, "RX");
    put_right(pen, PAINT_DIM, "TX", strip->spark_columns + 2 + RATE_COLUMNS);
    pen_blanks(pen, PAINT_DIM, strip->spark_columns + 1);
    for (size_t i = 0; i < PARTS && strip->has_parts; i++)
        put_right(pen, PAINT_DIM, parts[i], PART_COLUMNS);
    put_right(pen, PAINT_DIM, columns < WIDE ? "LOST" : "ERRORS", COUNT_COLUMNS);
    if (columns >= WIDE)
        put_right(pen, PAINT_DIM, "DROPS", COUNT_COLUMNS);
    if (columns >= WIDEST) {
        put_right(pen, PAINT_DIM, "RX-PPS", COUNT_COLUMNS);
        put_right(pen, PAINT_DIM, "TX-PPS", COUNT_COLUMNS);
    }
}

static void draw_direction(const struct strip *strip, struct pen *pen, const struct series *series,
                           const struct tui_interface *interface, enum paint paint)
{
    const struct tui *tui = strip->tui;
    bool rx = series == &tui->rx;
    uint64_t values[SERIES_LENGTH];
    uint32_t count = series_get(series, interface->identity, values);
    struct buf text = BUF_INIT;

    if (interface->known)
        quantity_rate(&text, rx ? interface->rx : interface->tx, !tui->settings->bytes);
    else
        buf_byte(&text, '-');
    pen_blanks(pen, paint, RATE_COLUMNS - (int)text.length);
    pen_buf(pen, paint, &text);
    buf_reset(&text);
    buf_byte(&text, ' ');
    graph_spark(&text, values, count, (uint32_t)strip->spark_columns, tui->terminal.glyphs);
    buf_byte(&text, ' ');
    pen_buf(pen, paint, &text);
    buf_done(&text);
}

static void put_part(struct pen *pen, const struct tui_interface *interface, bool known,
                     uint64_t part)
{
    uint64_t all =
        interface->named + interface->headers + interface->forwarded + interface->unowned;
    char text[16] = "-";

    if (known && all)
        snprintf(text, sizeof(text), part == all ? "100%%" : "%.1f%%",
                 (double)part * 100 / (double)all);
    put_right(pen, PAINT_PLAIN, text, PART_COLUMNS);
}

static void put_parts(struct pen *pen, const struct tui_interface *interface)
{
    put_part(pen, interface, interface->parts_known, interface->named);
    put_part(pen, interface, interface->parts_known, interface->headers);
    put_part(pen, interface, interface->parts_known, interface->forwarded);
    put_part(pen, interface, interface->unowned_known, interface->unowned);
}

static void draw_name(const struct strip *strip, const struct tui_interface *interface, int line,
                      struct pen *pen)
{
    struct pen name = pen_at(&strip->tui->terminal, line, 0, strip->name_columns - 1);

    pen_outside(&name, PAINT_TITLE, interface->name);
    if (interface->netns) {
        pen_text(&name, PAINT_DIM, " ");
        pen_ends(&name, PAINT_DIM, interface->netns);
    }
    pen->column = strip->name_columns;
}

static void draw_interface(const struct strip *strip, const struct tui_interface *interface,
                           int line)
{
    struct pen pen = pen_at(&strip->tui->terminal, line, 0, -1);
    int columns = strip->tui->terminal.columns;

    draw_name(strip, interface, line, &pen);
    draw_direction(strip, &pen, &strip->tui->rx, interface, PAINT_RX);
    draw_direction(strip, &pen, &strip->tui->tx, interface, PAINT_TX);
    pen.column--;
    if (strip->has_parts)
        put_parts(&pen, interface);
    if (columns < WIDE) {
        put_count(&pen, interface->errors + interface->drops, true);
        return;
    }
    put_count(&pen, interface->errors, true);
    put_count(&pen, interface->drops, true);
    if (columns >= WIDEST && interface->known) {
        put_count(&pen, interface->rx_packets, false);
        put_count(&pen, interface->tx_packets, false);
    }
}

/* How many lines the interfaces may have: the table has most of the room. */
static uint32_t interface_lines(const struct tui *tui)
{
    int rows = tui->terminal.rows;

    return rows < 10 ? 0 : rows < 16 ? 1 : (uint32_t)rows / 8;
}

/* The one line where there is no room for interfaces: the sum of them. */
static void draw_sum(const struct tui *tui, struct pen *pen)
{
    if (tui->status.reconcile && *tui->status.reconcile) {
        pen_text(pen, PAINT_PLAIN, "  ");
        pen_outside(pen, PAINT_PLAIN, tui->status.reconcile);
    }
}

static int draw_interfaces(const struct strip *strip, int line)
{
    const struct tui *tui = strip->tui;
    uint32_t room = interface_lines(tui);

    for (uint32_t i = 0; i < tui->status.interface_count && room; i++) {
        const struct tui_interface *interface = &tui->status.interfaces[i];

        if (interface->loopback && tui->settings->no_loopback)
            continue;
        draw_interface(strip, interface, line++);
        room--;
    }
    return line;
}

int screen_strip_draw(const struct tui *tui, int line)
{
    const struct tui_status *status = &tui->status;
    int columns = tui->terminal.columns;
    struct strip strip = {.tui = tui,
                          .name_columns = columns < WIDE ? 10 : 18,
                          .spark_columns = columns < WIDE ? 5 : 12,
                          .has_parts = !tui->source->replay};
    struct pen pen = pen_at(&tui->terminal, line++, 0, -1);
    bool has_note = status->note && *status->note;

    if (!strip.has_parts)
        strip.spark_columns += PARTS * PART_COLUMNS / 2;
    pen_outside(&pen, status->exact ? PAINT_GOOD : PAINT_WARN,
                status->accounting ? status->accounting : "");
    if (interface_lines(tui) == 0)
        draw_sum(tui, &pen);
    else
        draw_heading(&strip, &pen);
    if (has_note && tui->terminal.rows >= 10) {
        pen = pen_at(&tui->terminal, line++, 0, -1);
        pen_outside(&pen, PAINT_WARN, status->note);
    }
    return draw_interfaces(&strip, line);
}
