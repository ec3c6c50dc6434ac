/* SPDX-License-Identifier: MIT */
/* Graphs: eighths of blocks and braille where the terminal has them, else plain characters. */
#include "base/graph.h"

#define EIGHTHS 8
#define DOTS 4 /* of braille, one above the other */

uint64_t graph_largest(const uint64_t *values, uint32_t count)
{
    uint64_t largest = 0;

    for (uint32_t i = 0; i < count; i++)
        if (values[i] > largest && values[i] != GRAPH_UNKNOWN)
            largest = values[i];
    return largest;
}

/* value / largest of `steps`, rounded to the nearest; what is not 0 is one step at least. */
static uint32_t scale(uint64_t value, uint64_t largest, uint32_t steps)
{
    uint32_t step;

    if (value == 0 || largest == 0)
        return 0;
    if (value >= largest)
        return steps;
    step = (uint32_t)((double)value * steps / (double)largest + 0.5);
    return step ? step : 1;
}

/* A character of the basic plane. */
static void put_character(struct buf *out, uint32_t character)
{
    buf_byte(out, (char)(0xe0 | character >> 12));
    buf_byte(out, (char)(0x80 | (character >> 6 & 0x3f)));
    buf_byte(out, (char)(0x80 | (character & 0x3f)));
}

void graph_spark(struct buf *out, const uint64_t *values, uint32_t count, uint32_t columns,
                 bool utf8)
{
    static const char levels[EIGHTHS + 1] = " .,:-=+*#";
    uint64_t largest;

    if (count > columns) {
        values += count - columns;
        count = columns;
    }
    largest = graph_largest(values, count);
    buf_pad(out, columns - count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t level = scale(values[i], largest, EIGHTHS);

        if (values[i] == GRAPH_UNKNOWN)
            buf_byte(out, '?');
        else if (utf8 && level > 0)
            put_character(out, 0x2580 + level); /* lower one eighth to full block */
        else
            buf_byte(out, levels[level]);
    }
}

void graph_bar(struct buf *out, uint64_t value, uint64_t largest, uint32_t columns, bool utf8)
{
    uint32_t eighths = scale(value, largest, columns * (utf8 ? EIGHTHS : 1)), used = 0;

    if (!utf8)
        eighths *= EIGHTHS;
    for (; eighths >= EIGHTHS; eighths -= EIGHTHS, used++) {
        if (utf8)
            put_character(out, 0x2588);
        else
            buf_byte(out, '#');
    }
    if (eighths > 0) {
        put_character(out, 0x2590 - eighths); /* left one eighth to seven eighths */
        used++;
    }
    buf_pad(out, columns - used);
}

/* Dots of one value that stand in this line, counted from the bottom of the line. */
static uint32_t dots_in_line(uint64_t value, uint64_t largest, uint32_t lines, uint32_t line)
{
    uint32_t dots = scale(value, largest, lines * DOTS), below = (lines - 1 - line) * DOTS;

    if (dots <= below)
        return 0;
    return dots - below < DOTS ? dots - below : DOTS;
}

void graph_curve(struct buf *out, const uint64_t *values, uint32_t count, uint64_t largest,
                 uint32_t columns, uint32_t lines, uint32_t line, bool utf8)
{
    static const uint8_t left[DOTS + 1] = {0, 0x40, 0x44, 0x46, 0x47};
    static const uint8_t right[DOTS + 1] = {0, 0x80, 0xa0, 0xb0, 0xb8};
    static const char plain[DOTS + 1] = " .:|#";
    uint32_t per_column = utf8 ? 2 : 1, shown = columns * per_column;
    int64_t first = (int64_t)count - shown;

    for (uint32_t column = 0; column < columns; column++) {
        uint32_t dots[2] = {0, 0};

        for (uint32_t i = 0; i < per_column; i++) {
            int64_t at = first + (int64_t)column * per_column + i;

            if (at >= 0)
                dots[i] = dots_in_line(values[at], largest, lines, line);
        }
        if (utf8 && (dots[0] || dots[1]))
            put_character(out, 0x2800u + left[dots[0]] + right[dots[1]]);
        else
            buf_byte(out, plain[dots[0]]);
    }
}

void graph_blocks(struct buf *out, const uint64_t *values, uint32_t count, uint64_t largest,
                  uint32_t columns, uint32_t lines, uint32_t line, bool utf8)
{
    uint32_t per_line = utf8 ? EIGHTHS : 1, below = (lines - 1 - line) * per_line;
    uint32_t shown = count < columns ? count : columns;

    buf_pad(out, columns - shown);
    for (uint32_t i = count - shown; i < count; i++) {
        uint32_t steps = scale(values[i], largest, lines * per_line);
        uint32_t here = steps > below ? steps - below : 0;

        if (here > per_line)
            here = per_line;
        if (here == 0)
            buf_byte(out, ' ');
        else if (utf8)
            put_character(out, 0x2580 + here); /* lower one eighth to full block */
        else
            buf_byte(out, '#');
    }
}

uint64_t graph_end_of_scale(uint64_t largest)
{
    static const uint64_t steps[] = {1, 2, 5};

    for (uint64_t unit = 1000; unit <= UINT64_MAX / 50; unit *= 10)
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
            if (largest <= steps[i] * unit)
                return steps[i] * unit;
    return UINT64_MAX;
}
