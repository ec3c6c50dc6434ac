/* SPDX-License-Identifier: MIT */
/* SVG: lines over a time, with axes and a legend, in one file that needs nothing else. */
#include "out/svg.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/graph.h"
#include "base/rate.h"
#include "base/units.h"

#include <time.h>

#define WIDTH 960
#define LEFT 80
#define RIGHT 24
#define TOP 48
#define PLOT_HEIGHT 280
#define LEGEND_LINE 20
#define PLOT_WIDTH (WIDTH - LEFT - RIGHT)
#define TICKS_MAX 10
#define LEVELS 4

/* Told apart also by those who see red and green alike. */
static const char *const colors[SVG_LINES_MAX] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#e69f00", "#56b4e9", "#666666", "#a6761d"};

/* --- scales --- */

static uint64_t piece_length_ns(const struct svg_chart *chart, uint32_t piece)
{
    uint64_t begin_ns = chart->since_ns + piece * chart->every_ns;
    uint64_t left_ns = chart->until_ns - begin_ns;

    return left_ns < chart->every_ns ? left_ns : chart->every_ns;
}

static uint64_t measured_ns(const struct svg_chart *chart, uint32_t piece)
{
    return chart->measured_ns ? chart->measured_ns[piece] : piece_length_ns(chart, piece);
}

static uint64_t rate(const struct svg_chart *chart, const struct svg_line *line, uint32_t piece)
{
    return per_second(line->bytes[piece], measured_ns(chart, piece), 0);
}

static uint64_t largest_rate(const struct svg_chart *chart)
{
    uint64_t largest = 0;

    for (uint32_t i = 0; i < chart->count; i++)
        for (uint32_t piece = 0; piece < chart->pieces; piece++) {
            uint64_t bytes = rate(chart, &chart->lines[i], piece);

            largest = bytes > largest ? bytes : largest;
        }
    return largest;
}

static double x_of(const struct svg_chart *chart, uint64_t time_ns)
{
    uint64_t span_ns = chart->until_ns - chart->since_ns;

    return LEFT + (double)(time_ns - chart->since_ns) / (double)span_ns * PLOT_WIDTH;
}

static double y_of(uint64_t bits, uint64_t end)
{
    return TOP + PLOT_HEIGHT - (double)bits / (double)end * PLOT_HEIGHT;
}

/* --- parts --- */

static void put_text(struct buf *out, double x, double y, const char *anchor, const char *text)
{
    buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    escape_xml(out, text, strlen(text));
    buf_puts(out, "</text>\n");
}

static void put_levels(struct buf *out, uint64_t end)
{
    for (uint64_t level = 0; level <= LEVELS; level++) {
        uint64_t bits = end / LEVELS * level;
        struct buf label = BUF_INIT;

        units_write_bit_rate(&label, bits / 8);
        buf_printf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n",
                   LEFT, WIDTH - RIGHT, y_of(bits, end), y_of(bits, end));
        put_text(out, LEFT - 8, y_of(bits, end) + 4, "end", buf_string(&label));
        buf_done(&label);
    }
}

/* The shortest of these steps that makes no more than TICKS_MAX of them. */
static uint64_t tick_step_s(uint64_t span_s)
{
    static const uint32_t steps[] = {1,    2,    5,    10,    30,    60,    120,   300,    600,
                                     1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (span_s / steps[i] <= TICKS_MAX)
            return steps[i];
    return span_s / TICKS_MAX;
}

/* Steps of hours are those of the local time. */
static void put_times(const struct svg_chart *chart, struct buf *out)
{
    uint64_t since_s = chart->since_ns / SECOND_NS, until_s = chart->until_ns / SECOND_NS;
    uint64_t step = tick_step_s(until_s - since_s), tick;
    time_t begin = (time_t)since_s;
    struct tm local = {0};

    localtime_r(&begin, &local);
    tick = since_s + (step - (since_s + (uint64_t)(local.tm_gmtoff + 86400)) % step) % step;
    for (; tick <= until_s; tick += step) {
        time_t seconds = (time_t)tick;
        char text[32] = "";
        double x =
            x_of(chart, tick * SECOND_NS > chart->since_ns ? tick * SECOND_NS : chart->since_ns);

        if (localtime_r(&seconds, &local))
            strftime(text, sizeof(text), step >= 86400 ? "%F" : step < 60 ? "%T" : "%H:%M", &local);
        buf_printf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" class=\"axis\"/>\n", x,
                   x, TOP + PLOT_HEIGHT, TOP + PLOT_HEIGHT + 5);
        put_text(out, x, TOP + PLOT_HEIGHT + 20, "middle", text);
    }
}

/* Of pieces that follow each other and were measured, from `piece` on. Returns the one behind. */
static uint32_t put_points(const struct svg_chart *chart, const struct svg_line *line,
                           uint32_t piece, uint64_t end, struct buf *out)
{
    for (; piece < chart->pieces && measured_ns(chart, piece); piece++) {
        uint64_t begin_ns = chart->since_ns + piece * chart->every_ns;
        double y = y_of(rate(chart, line, piece) * 8, end);

        buf_printf(out, "%.1f,%.1f %.1f,%.1f ", x_of(chart, begin_ns), y,
                   x_of(chart, begin_ns + piece_length_ns(chart, piece)), y);
    }
    return piece;
}

static void put_line(const struct svg_chart *chart, uint32_t index, uint64_t end, struct buf *out)
{
    for (uint32_t piece = 0; piece < chart->pieces; piece++) {
        if (!measured_ns(chart, piece))
            continue;
        buf_printf(out, "<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"%s\" points=\"",
                   colors[index]);
        piece = put_points(chart, &chart->lines[index], piece, end, out);
        buf_puts(out, "\"/>\n");
    }
}

/* The text stands at the line, from the top down. */
static void put_mark(const struct svg_chart *chart, const struct svg_mark *mark, struct buf *out)
{
    double x = x_of(chart, mark->time_ns);

    buf_printf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" class=\"mark\"/>\n", x, x,
               TOP, TOP + PLOT_HEIGHT);
    buf_printf(out, "<text class=\"note\" transform=\"translate(%.1f,%d) rotate(90)\">", x + 3,
               TOP + 4);
    escape_xml(out, mark->text, mark->length);
    buf_puts(out, "</text>\n");
}

static void put_legend(const struct svg_chart *chart, uint32_t index, struct buf *out)
{
    const struct svg_line *line = &chart->lines[index];
    int y = TOP + PLOT_HEIGHT + 50 + (int)index * LEGEND_LINE;

    buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", LEFT,
               y - 10, colors[index]);
    buf_printf(out, "<text x=\"%d\" y=\"%d\">", LEFT + 20, y);
    escape_xml(out, line->name, line->length);
    buf_puts(out, "  ");
    units_write_bytes(out, line->total);
    buf_puts(out, "</text>\n");
}

static bool mark_is_shown(const struct svg_chart *chart, const struct svg_mark *mark)
{
    return mark->time_ns >= chart->since_ns && mark->time_ns <= chart->until_ns;
}

int svg_write(const struct svg_chart *chart, struct buf *out)
{
    uint64_t end = graph_end_of_scale(largest_rate(chart) * 8);
    int height = TOP + PLOT_HEIGHT + 60 + (int)chart->count * LEGEND_LINE;

    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
               "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
               "<style>.grid{stroke:#ddd}.axis{stroke:#888}"
               ".mark{stroke:#888;stroke-dasharray:2 3}.note{font-size:9px;fill:#555}</style>\n"
               "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
               WIDTH, height, WIDTH, height);
    put_text(out, LEFT, 28, "start", chart->title);
    put_levels(out, end);
    put_times(chart, out);
    for (uint32_t i = 0; i < chart->mark_count; i++)
        if (mark_is_shown(chart, &chart->marks[i]))
            put_mark(chart, &chart->marks[i], out);
    for (uint32_t i = chart->count; i-- > 0;)
        put_line(chart, i, end, out);
    for (uint32_t i = 0; i < chart->count; i++)
        put_legend(chart, i, out);
    buf_puts(out, "</svg>\n");
    return out->error;
}
