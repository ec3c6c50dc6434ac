/* SPDX-License-Identifier: MIT */
/* An interface as text: what nload, bmon and `sar -n DEV` show, in one block. */
#include "cli/if_screen.h"

#include "base/escape.h"
#include "base/graph.h"
#include "tui/quantity.h"

#include <inttypes.h>
#include <langinfo.h>
#include <string.h>

#define COLUMNS_USUAL 80
#define VALUES_WIDTH 30 /* right of a graph */
#define GRAPH_COLUMNS_LEAST 10
#define GRAPH_LINES_LEAST 5 /* as many as there are values beside it */
#define GRAPH_LINES_MOST 12
#define OTHER_LINES 9 /* of a block, beside the graphs */

void if_screen_begin(struct if_screen *screen)
{
    *screen = (struct if_screen){.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
}

void if_screen_end(struct if_screen *screen)
{
    series_done(&screen->rx);
    series_done(&screen->tx);
}

/* One interface, drawn. */
struct drawing {
    const struct if_screen *screen;
    const struct view *view;
    const struct interface *interface;
    const struct interface_rate *rate; /* NULL: the first reading */
    const struct link_past *past;      /* NULL: the same */
    uint64_t identity;
    uint32_t graph_columns, graph_lines;
    struct buf *out;
};

/* --- a direction --- */

struct direction {
    const char *title;
    const struct series *series;
    const struct link_range *range;
    uint64_t rate, mean, since; /* bytes */
};

static void put_value(struct drawing *drawing, const char *label, uint64_t bytes, bool is_total)
{
    struct buf *out = drawing->out;
    size_t start;

    buf_puts(out, label);
    if (!drawing->past) {
        buf_puts(out, "           -");
        return;
    }
    start = out->length;
    (is_total ? quantity_total : quantity_rate)(out, bytes, true);
    while (out->length - start < 14 && !out->error)
        buf_byte(out, ' ');
    (is_total ? quantity_total : quantity_rate)(out, bytes, false);
}

static void put_values_line(struct drawing *drawing, const struct direction *direction,
                            uint32_t line)
{
    switch (line) {
    case 0:
        put_value(drawing, "  Curr  ", direction->rate, false);
        break;
    case 1:
        put_value(drawing, "  Avg   ", direction->mean, false);
        break;
    case 2:
        put_value(drawing, "  Min   ", direction->range ? direction->range->least : 0, false);
        break;
    case 3:
        put_value(drawing, "  Max   ", direction->range ? direction->range->most : 0, false);
        break;
    case 4:
        put_value(drawing, "  Ttl   ", direction->since, true);
        break;
    default:
        break;
    }
}

static void trim(struct buf *out)
{
    while (out->length && out->data[out->length - 1] == ' ')
        out->length--;
}

static void put_direction(struct drawing *drawing, const struct direction *direction)
{
    struct buf *out = drawing->out;
    uint64_t values[SERIES_LENGTH], scale;
    uint32_t count = series_get(direction->series, drawing->identity, values);
    uint64_t largest = graph_largest(values, count);

    scale = graph_end_of_scale(largest > UINT64_MAX / 8 ? UINT64_MAX : largest * 8);
    buf_printf(out, "%s: ", direction->title);
    quantity_rate(out, scale / 8, true);
    buf_puts(out, " is the height of the graph\n");
    for (uint32_t line = 0; line < drawing->graph_lines; line++) {
        graph_blocks(out, values, count, scale / 8, drawing->graph_columns, drawing->graph_lines,
                     line, drawing->screen->utf8);
        put_values_line(drawing, direction, line);
        trim(out);
        buf_byte(out, '\n');
    }
}

static void put_directions(struct drawing *drawing)
{
    const struct link_past *past = drawing->past;
    const struct snapshot *snapshot = drawing->view->snapshot;
    const struct link_stats *now = &drawing->interface->stats;
    struct direction rx = {.title = "Incoming", .series = &drawing->screen->rx};
    struct direction tx = {.title = "Outgoing", .series = &drawing->screen->tx};

    if (past) {
        rx.rate = drawing->rate->rx;
        tx.rate = drawing->rate->tx;
        rx.range = &past->rx;
        tx.range = &past->tx;
        rx.since = now->rx_bytes - past->first.rx_bytes;
        tx.since = now->tx_bytes - past->first.tx_bytes;
        rx.mean = link_history_mean(past, snapshot, past->first.rx_bytes, now->rx_bytes);
        tx.mean = link_history_mean(past, snapshot, past->first.tx_bytes, now->tx_bytes);
    }
    put_direction(drawing, &rx);
    put_direction(drawing, &tx);
}

/* --- the lines above and below --- */

static void put_cell(struct drawing *drawing, const char *column)
{
    const struct column *what = table_column(&table_interfaces, column);
    uint32_t row = (uint32_t)(drawing->interface - drawing->view->snapshot->interfaces);
    struct value value = what->get(drawing->view, row);

    switch (value.type) {
    case VALUE_STRING:
        escape_text(drawing->out, value.string.bytes, value.string.length);
        break;
    case VALUE_UINT:
        units_write(drawing->out, value_kind_unit(what->kind), value.uint);
        break;
    default:
        buf_byte(drawing->out, '-');
    }
}

static void put_head(struct drawing *drawing)
{
    static const char *const parts[][2] = {
        {"", "iface"},     {"  ", "state"}, {"  speed ", "speed_bits"},
        {"  mtu ", "mtu"}, {"  ", "kind"},  {"  used % ", "util"}};

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        buf_puts(drawing->out, parts[i][0]);
        put_cell(drawing, parts[i][1]);
    }
    buf_byte(drawing->out, '\n');
}

static void put_number(struct buf *out, uint64_t number)
{
    buf_printf(out, "%13" PRIu64, number);
}

static void put_unknown(struct buf *out)
{
    buf_printf(out, "%13s", "-");
}

/* Of one direction: a second, in all, and since the first reading. */
static void put_counters(struct drawing *drawing, const char *label, bool sent)
{
    const struct link_stats *now = &drawing->interface->stats;
    const struct link_stats *first = drawing->past ? &drawing->past->first : NULL;
    struct buf *out = drawing->out;
    uint64_t packets = sent ? now->tx_packets : now->rx_packets;

    buf_puts(out, label);
    if (first) {
        put_number(out, sent ? drawing->rate->tx_packets : drawing->rate->rx_packets);
        put_number(out, packets - (sent ? first->tx_packets : first->rx_packets));
    } else {
        put_unknown(out);
        put_unknown(out);
    }
    put_number(out, packets);
    put_number(out, sent ? now->tx_errors : now->rx_errors);
    put_number(out, sent ? now->tx_dropped : now->rx_dropped);
    buf_byte(out, '\n');
}

static void put_losses(struct drawing *drawing)
{
    struct buf *out = drawing->out;

    buf_printf(out, "%-4s%13s%13s%13s%13s%13s\n", "", "packets/s", "since", "packets", "errors",
               "drops");
    put_counters(drawing, "in  ", false);
    put_counters(drawing, "out ", true);
    buf_puts(out, "queue ");
    put_cell(drawing, "qdisc");
    buf_puts(out, ": drops ");
    put_cell(drawing, "qdisc_drops");
    buf_puts(out, ", waiting ");
    put_cell(drawing, "qdisc_packets");
    buf_puts(out, " packets, ");
    put_cell(drawing, "qdisc_backlog_bytes");
    buf_puts(out, " bytes\n");
}

/* --- all of them --- */

static uint32_t bounded(uint32_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void draw(const struct if_screen *screen, const struct grid *grid, uint32_t row,
                 struct drawing *drawing)
{
    uint32_t index = grid->rows[row];
    const struct rates *rates = grid->view->rates;

    drawing->screen = screen;
    drawing->view = grid->view;
    drawing->interface = &grid->view->snapshot->interfaces[index];
    drawing->identity = interface_identity(grid->view->snapshot, drawing->interface);
    drawing->rate = rates && rates->interfaces ? &rates->interfaces[index] : NULL;
    drawing->past =
        drawing->rate && drawing->rate->known ? link_history_past(grid->view->links, index) : NULL;
    put_head(drawing);
    put_directions(drawing);
    put_losses(drawing);
}

static int remember(struct if_screen *screen, const struct grid *grid)
{
    const struct snapshot *snapshot = grid->view->snapshot;
    const struct rates *rates = grid->view->rates;
    int r = 0;

    series_tick(&screen->rx);
    series_tick(&screen->tx);
    if (!rates || !rates->interfaces)
        return 0;
    for (uint32_t i = 0; i < grid->row_count && r == 0; i++) {
        const struct interface_rate *rate = &rates->interfaces[grid->rows[i]];
        uint64_t identity = interface_identity(snapshot, &snapshot->interfaces[grid->rows[i]]);

        r = series_add(&screen->rx, identity, rate->known ? rate->rx : 0);
        if (r == 0)
            r = series_add(&screen->tx, identity, rate->known ? rate->tx : 0);
    }
    return r;
}

/* Takes the lines away for which there is no room. */
static void cut_lines(struct buf *out, size_t start, uint32_t rows)
{
    for (size_t at = start; at < out->length; at++)
        if (out->data[at] == '\n' && --rows == 0)
            out->length = at + 1;
}

int if_screen_write(struct if_screen *screen, const struct grid *grid, uint32_t rows,
                    uint32_t columns, struct buf *out)
{
    uint32_t each = grid->row_count ? rows / grid->row_count : rows;
    uint32_t width = columns ? columns : COLUMNS_USUAL;
    struct drawing drawing = {
        .graph_columns = bounded(width > VALUES_WIDTH ? width - VALUES_WIDTH : 0,
                                 GRAPH_COLUMNS_LEAST, SERIES_LENGTH),
        .graph_lines = bounded(each > OTHER_LINES ? (each - OTHER_LINES) / 2 : 0, GRAPH_LINES_LEAST,
                               GRAPH_LINES_MOST),
        .out = out,
    };
    size_t start = out->length;
    int r = remember(screen, grid);

    if (grid->row_count == 0)
        buf_puts(out, "there is no such interface\n");
    for (uint32_t i = 0; i < grid->row_count && r == 0; i++) {
        if (i > 0)
            buf_byte(out, '\n');
        draw(screen, grid, i, &drawing);
    }
    if (rows)
        cut_lines(out, start, rows);
    return r < 0 ? r : out->error;
}
