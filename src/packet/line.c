/* SPDX-License-Identifier: MIT */
/* The line of a packet: number, time, text, and its bytes. */
#include "packet/line.h"

#include "packet/hexdump.h"

#include <time.h>

#define LENGTH_MAX 262144

/* ".123456" */
static void put_fraction(const struct line *line, struct buf *out, uint32_t fraction)
{
    unsigned int digits = line->options.nanoseconds ? 9 : 6;
    char text[10] = ".";

    for (unsigned int i = digits; i > 0; i--, fraction /= 10)
        text[i] = (char)('0' + fraction % 10);
    buf_put(out, text, 1 + digits);
}

/* The text of a time but for its seconds; `local`, or that of UTC. */
static void set_clock(struct line *line, int64_t seconds, bool local)
{
    time_t time = (time_t)(seconds - seconds % 60);
    struct tm tm = {0};

    if (local)
        localtime_r(&time, &tm);
    else
        gmtime_r(&time, &tm);
    line->clock_length =
        (uint32_t)(line->options.time == LINE_TIME_DATE
                       ? strftime(line->clock, sizeof(line->clock), "%Y-%m-%d %H:%M:", &tm)
                       : strftime(line->clock, sizeof(line->clock), "%H:%M:", &tm));
    line->clock_minute = seconds / 60 + 1;
}

/* What tcpdump's files can have: seconds of 31 bits. */
static bool is_time(int64_t seconds)
{
    return !(seconds & 0x80000000);
}

static void put_clock(struct line *line, struct buf *out, int64_t seconds, uint32_t fraction,
                      bool local)
{
    if (!is_time(seconds)) {
        buf_puts(out, "[Error converting time]");
        return;
    }
    if (line->clock_minute != seconds / 60 + 1)
        set_clock(line, seconds, local);
    buf_put(out, line->clock, line->clock_length);
    buf_byte(out, (char)('0' + seconds % 60 / 10));
    buf_byte(out, (char)('0' + seconds % 10));
    put_fraction(line, out, fraction);
}

static void put_unix(struct line *line, struct buf *out, int64_t seconds, uint32_t fraction)
{
    if (!is_time(seconds)) {
        buf_puts(out, "[Error converting time]");
        return;
    }
    buf_uint(out, (uint32_t)seconds);
    put_fraction(line, out, fraction);
}

static void put_difference(struct line *line, struct buf *out, int64_t seconds, uint32_t fraction)
{
    uint32_t second = line->options.nanoseconds ? 1000000000 : 1000000;
    int64_t difference;
    bool before;

    if (!line->referenced) {
        line->reference_seconds = seconds;
        line->reference_fraction = fraction;
        line->referenced = true;
    }
    difference =
        (seconds - line->reference_seconds) * second + fraction - (int64_t)line->reference_fraction;
    before = difference < 0;
    if (before)
        difference = -difference;
    buf_byte(out, before ? '-' : ' ');
    put_clock(line, out, difference / second, (uint32_t)(difference % second), false);
    if (line->options.time == LINE_TIME_SINCE_LAST) {
        line->reference_seconds = seconds;
        line->reference_fraction = fraction;
    }
}

static void put_time(struct line *line, struct buf *out, const struct captured *captured)
{
    switch (line->options.time) {
    case LINE_TIME_NONE:
        return;
    case LINE_TIME_UNIX:
        put_unix(line, out, captured->seconds, captured->fraction);
        break;
    case LINE_TIME_SINCE_LAST:
    case LINE_TIME_SINCE_FIRST:
        put_difference(line, out, captured->seconds, captured->fraction);
        break;
    default:
        put_clock(line, out, captured->seconds, captured->fraction, true);
    }
    buf_byte(out, ' ');
}

/* Whether the lengths make sense; says so if not. */
static bool check_lengths(struct buf *out, const struct captured *captured)
{
    const char *before = "[Invalid header:";

    if (captured->captured > 0 && captured->captured <= captured->length &&
        captured->length <= LENGTH_MAX)
        return true;
    if (captured->captured == 0) {
        buf_puts(out, "[Invalid header: caplen==0");
        before = ",";
    }
    if (captured->length == 0) {
        buf_puts(out, before);
        buf_puts(out, " len==0");
        before = ",";
    } else if (captured->length < captured->captured) {
        buf_printf(out, "%s len(%u) < caplen(%u)", before, captured->length, captured->captured);
        before = ",";
    }
    if (captured->captured > LENGTH_MAX) {
        buf_printf(out, "%s caplen(%u) > %u", before, captured->captured, LENGTH_MAX);
        before = ",";
    }
    if (captured->length > LENGTH_MAX)
        buf_printf(out, "%s len(%u) > %u", before, captured->length, LENGTH_MAX);
    buf_puts(out, "]\n");
    return false;
}

static void put_bytes(const struct line_options *options, struct packet *packet)
{
    unsigned int amount = options->hex_ascii ? options->hex_ascii
                          : options->hex     ? options->hex
                                             : options->ascii;
    uint32_t from = amount > 1 || packet->dump_all ? 0 : packet->link_length, count;

    if (amount == 0 || (amount == 1 && packet->captured <= from))
        return;
    count = packet->captured - from;
    if (options->hex_ascii)
        hexdump_put_ascii(packet, "\n\t", from, count);
    else if (options->hex)
        hexdump_put(packet, "\n\t", from, count);
    else
        hexdump_put_text(packet, from, count);
}

void line_put(struct line *line, struct packet *packet, int link_type,
              const struct captured *captured, uint32_t number)
{
    struct buf *out = packet->out;

    if (line->options.number)
        buf_printf(out, "%5u  ", number);
    if (!check_lengths(out, captured))
        return;
    put_time(line, out, captured);
    packet->bytes = captured->bytes;
    packet->captured = captured->captured;
    packet_dissect(packet, link_type, captured->length);
    if (line->remark)
        buf_puts(out, line->remark);
    put_bytes(&line->options, packet);
    buf_byte(out, '\n');
}
