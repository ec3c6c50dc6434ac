/* SPDX-License-Identifier: MIT */
/* sar: headings, rows, averages. */
#include "compat/sar.h"

#include "base/escape.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#define WIDTH 9     /* of a number, and of the name of an interface */
#define WIDTH_CPU 7 /* of a CPU */

/* Lines of what is no terminal, until a heading comes again. */
#define HEIGHT 86400

/* What rates are made for. */
struct span {
    const char *began, *ended; /* as the lines begin: of the heading, of a row */
    uint64_t hundredths;       /* of a second, at least one */
    uint32_t samples;          /* 0: one interval; of how many it is the average */
};

/* --- colours --- */

/* "H=31;1:I=32;22": only what a terminal takes for a colour is taken over. */
static void read_colors(struct sar_layout *layout, const char *text)
{
    static const char letters[SAR_COLOR_MAX] = {
        [SAR_COLOR_ZERO] = 'Z', [SAR_COLOR_NUMBER] = 'N', [SAR_COLOR_ITEM] = 'I',
        [SAR_COLOR_HALF] = 'M', [SAR_COLOR_HIGH] = 'H',   [SAR_COLOR_RESTART] = 'R',
    };

    while (*text) {
        size_t length = strcspn(text, ":");

        for (uint32_t i = 0; i < SAR_COLOR_MAX; i++)
            if (text[0] == letters[i] && length > 2 && text[1] == '=' &&
                length - 2 < sizeof(layout->color[i]) &&
                strspn(text + 2, "0123456789;") == length - 2) {
                memcpy(layout->color[i], text + 2, length - 2);
                layout->color[i][length - 2] = '\0';
            }
        text += length + (text[length] == ':');
    }
}

static void choose_colors(struct sar_layout *layout)
{
    const char *when = getenv("S_COLORS"), *which = getenv("S_COLORS_SGR");

    layout->colors = layout->terminal;
    if (when && strcmp(when, "never") == 0)
        layout->colors = false;
    if (when && strcmp(when, "always") == 0)
        layout->colors = true;
    read_colors(layout, "H=31;1:I=32;22:M=35;1:N=34;1:R=31;22:Z=34;22");
    if (which)
        read_colors(layout, which);
}

static void begin_color(struct sar_layout *layout, enum sar_color color)
{
    if (layout->colors)
        buf_printf(&layout->out, "\033[%sm", layout->color[color]);
}

static void end_color(struct sar_layout *layout)
{
    if (layout->colors)
        buf_puts(&layout->out, "\033[0m");
}

/* --- numbers --- */

static void put_number(struct sar_layout *layout, enum sar_color color, uint32_t decimals,
                       double number, char unit)
{
    begin_color(layout, color);
    buf_printf(&layout->out, " %*.*f", unit ? WIDTH - 1 : WIDTH, (int)decimals, number);
    end_color(layout);
    if (unit)
        buf_byte(&layout->out, unit);
}

/* What is shown as zero is one. */
static enum sar_color color_of(uint32_t decimals, double number)
{
    static const double least[] = {0.5, 0.05, 0.005};
    bool zero = decimals ? number < least[decimals] : number <= least[decimals];

    return zero ? SAR_COLOR_ZERO : SAR_COLOR_NUMBER;
}

/* With a unit there is room for one decimal. */
static uint32_t fewer_decimals(const struct sar_layout *layout)
{
    return layout->options->decimals ? 1 : 0;
}

static void put_kilobytes(struct sar_layout *layout, double kilobytes)
{
    static const char units[] = "BkMGTP";
    double number = kilobytes * 1024;
    size_t unit = 0;

    for (; number >= 1024 && units[unit + 1]; unit++)
        number /= 1024;
    put_number(layout, color_of(layout->options->decimals, kilobytes), fewer_decimals(layout),
               number, units[unit]);
}

static void put_percent(struct sar_layout *layout, double percent)
{
    enum sar_color color = color_of(layout->options->decimals, percent);

    if (percent >= 50)
        color = percent >= 75 ? SAR_COLOR_HIGH : SAR_COLOR_HALF;
    if (layout->options->human)
        put_number(layout, color, fewer_decimals(layout), percent, '%');
    else
        put_number(layout, color, layout->options->decimals, percent, '\0');
}

/* --- rows --- */

static double rate(const struct sar_report *report, const struct sar_row *row,
                   const struct sar_row *before, uint32_t column, const struct span *span)
{
    uint64_t counted =
        sar_counted(report, before ? before->values[column] : 0, row->values[column]);

    return (double)counted / (double)span->hundredths * 100;
}

/* In percent: where both directions have the speed for themselves, the busier one counts. */
static double utilization(const struct sar_report *report, const struct sar_row *row,
                          const struct sar_row *before, const struct span *span)
{
    double most = 0, sum = 0;

    for (uint32_t i = 0; i < report->column_count; i++) {
        double bytes =
            report->columns[i].unit == SAR_KB_PER_SECOND ? rate(report, row, before, i, span) : 0;

        most = bytes > most ? bytes : most;
        sum += bytes;
    }
    if (row->speed_bits == 0)
        return 0;
    return (row->full_duplex ? most : sum) * 800 / (double)row->speed_bits;
}

static void put_gauge(struct sar_layout *layout, const struct sar_row *row, uint32_t column,
                      const struct span *span)
{
    double number =
        span->samples ? (double)row->sums[column] / span->samples : (double)row->values[column];

    put_number(layout, color_of(0, number), 0, number, '\0');
}

static void put_cell(struct sar_layout *layout, const struct sar_report *report,
                     const struct sar_row *row, const struct sar_row *before, uint32_t column,
                     const struct span *span)
{
    double number = rate(report, row, before, column, span);

    switch (report->columns[column].unit) {
    case SAR_NOW:
        put_gauge(layout, row, column, span);
        return;
    case SAR_UTILIZATION:
        put_percent(layout, utilization(report, row, before, span));
        return;
    case SAR_KB_PER_SECOND:
        if (layout->options->human) {
            put_kilobytes(layout, number / 1024);
            return;
        }
        number /= 1024;
        break;
    default:
        break;
    }
    put_number(layout, color_of(layout->options->decimals, number), layout->options->decimals,
               number, '\0');
}

/* Names are of others: on a terminal they are escaped. */
static void put_name(struct sar_layout *layout, const char *name, size_t width)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    size_t length = strlen(name);

    if (layout->terminal)
        length = escape_text(&text, name, length);
    else
        buf_puts(&text, name);
    buf_pad(&layout->out, length < width ? width - length : 0);
    buf_puts(&layout->out, buf_string(&text));
    if (text.error && !layout->out.error)
        layout->out.error = text.error;
}

static void put_item(struct sar_layout *layout, const char *name, size_t width)
{
    begin_color(layout, SAR_COLOR_ITEM);
    buf_byte(&layout->out, ' ');
    put_name(layout, name, width);
    end_color(layout);
}

static void put_row(struct sar_layout *layout, const struct sar_report *report,
                    const struct sar_row *row, const struct sar_row *before,
                    const struct span *span)
{
    bool at_end = layout->options->pretty && report->rows == SAR_OF_INTERFACES;

    buf_printf(&layout->out, "%-11s", span->ended);
    if (report->rows == SAR_OF_CPUS)
        put_item(layout, row->name, WIDTH_CPU);
    if (report->rows == SAR_OF_INTERFACES && !at_end)
        put_item(layout, row->name, WIDTH);
    for (uint32_t i = 0; i < report->column_count; i++)
        put_cell(layout, report, row, before, i, span);
    if (at_end)
        put_item(layout, row->name, 0);
    buf_byte(&layout->out, '\n');
}

/* Whether the options want to see a row of several. */
static bool is_wanted(const struct sar_options *options, const struct sar_report *report,
                      const struct sar_row *row)
{
    uint32_t bit;

    if (report->rows == SAR_OF_CPUS) {
        bit = *row->name == 'a' ? 0 : 1 + (uint32_t)strtoul(row->name, NULL, 10);
        return bit <= SAR_CPU_MAX && options->cpus[bit / 8] & 1u << bit % 8;
    }
    if (report->rows != SAR_OF_INTERFACES || options->interface_count == 0)
        return true;
    for (uint32_t i = 0; i < options->interface_count; i++)
        if (strlen(row->name) == options->interfaces[i].length &&
            memcmp(row->name, options->interfaces[i].bytes, options->interfaces[i].length) == 0)
            return true;
    return false;
}

/* In DEV an interface that is new has changed, though it has counted nothing. */
static bool has_changed(const struct sar_report *report, const struct sar_row *row,
                        const struct sar_row *before)
{
    static const struct sar_row none = {.full_duplex = false};

    if (!before && report == &sar_reports[SAR_DEV])
        return true;
    return memcmp(row->values, before ? before->values : none.values,
                  report->column_count * sizeof(row->values[0])) != 0;
}

static void put_heading(struct sar_layout *layout, const struct sar_report *report,
                        const struct span *span)
{
    bool at_end = layout->options->pretty && report->rows == SAR_OF_INTERFACES;

    buf_printf(&layout->out, "\n%-11s", span->began);
    if (report->rows == SAR_OF_CPUS)
        buf_printf(&layout->out, " %*s", WIDTH_CPU, "CPU");
    if (report->rows == SAR_OF_INTERFACES && !at_end)
        buf_printf(&layout->out, " %*s", WIDTH, "IFACE");
    for (uint32_t i = 0; i < report->column_count; i++)
        buf_printf(&layout->out, " %*s", WIDTH, report->columns[i].title);
    buf_puts(&layout->out, at_end ? " IFACE\n" : "\n");
}

static void put_reports(struct sar_layout *layout, const struct sar_sample *before,
                        const struct sar_sample *sample, const struct span *span)
{
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        const struct sar_report *report = &sar_reports[id];
        const struct sar_block *block = &sample->blocks[id];
        bool omits = layout->options->omit_zeros &&
                     (report->rows == SAR_OF_INTERFACES || report->rows == SAR_OF_CPUS);

        if (!(layout->reports & SAR_REPORT_BIT(id)))
            continue;
        if (layout->heading || (omits && layout->from_file))
            put_heading(layout, report, span);
        for (uint32_t i = 0; i < block->count; i++) {
            const struct sar_row *row = &block->rows[i];
            const struct sar_row *earlier = sar_row_before(report, row, &before->blocks[id]);

            if (is_wanted(layout->options, report, row) &&
                !(omits && !has_changed(report, row, earlier)))
                put_row(layout, report, row, earlier, span);
        }
    }
}

/* --- what is shown --- */

void sar_layout_init(struct sar_layout *layout, const struct sar_options *options, int fd)
{
    const char *format = getenv("S_TIME_FORMAT");
    struct winsize size;

    *layout = (struct sar_layout){
        .options = options,
        .out = BUF_SINK(fd),
        .height = HEIGHT,
        .terminal = isatty(fd) == 1,
        .iso = format && strcmp(format, "ISO") == 0,
    };
    if (layout->terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
        layout->height = size.ws_row - 2u;
    choose_colors(layout);
}

static void put_time(const struct sar_layout *layout, uint64_t time, char *text, size_t size)
{
    time_t seconds = (time_t)time;
    struct tm local = {.tm_sec = 0};

    localtime_r(&seconds, &local);
    if (strftime(text, size, layout->iso ? "%H:%M:%S" : "%X", &local) == 0)
        *text = '\0';
}

/* Rows that a sample may have: of CPUs those that were asked for. */
static uint32_t count_rows(const struct sar_layout *layout, const struct sar_sample *sample)
{
    uint32_t rows = 0;

    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        if (!(layout->reports & SAR_REPORT_BIT(id)))
            continue;
        if (sar_reports[id].rows == SAR_OF_CPUS)
            for (size_t i = 0; i < sizeof(layout->options->cpus); i++)
                rows += (uint32_t)__builtin_popcount(layout->options->cpus[i]);
        else
            rows += sample->blocks[id].count;
    }
    return rows;
}

/* How many digits a year has is for the locale to say. */
#pragma GCC diagnostic ignored "-Wformat-y2k"

void sar_put_title(struct sar_layout *layout, const struct sar_source *source,
                   const struct sar_sample *first)
{
    const struct utsname *machine = &source->machine;
    time_t seconds = (time_t)first->time;
    struct tm local = {.tm_sec = 0};
    char date[64];

    localtime_r(&seconds, &local);
    if (strftime(date, sizeof(date), layout->iso ? "%Y-%m-%d" : "%x", &local) == 0)
        *date = '\0';
    buf_printf(&layout->out, "%s %s (", machine->sysname, machine->release);
    put_name(layout, machine->nodename, 0);
    buf_printf(&layout->out, ") \t%s \t_%s_\t(%u CPU)\n", date, machine->machine, source->cpus);
    layout->several = count_rows(layout, first) > 1;
}

static uint64_t hundredths_between(const struct sar_sample *before, const struct sar_sample *sample)
{
    uint64_t hundredths = sample->uptime_cs - before->uptime_cs;

    return hundredths ? hundredths : 1;
}

void sar_put_restart(struct sar_layout *layout, uint64_t time, uint32_t cpus)
{
    char text[64];

    put_time(layout, time, text, sizeof(text));
    buf_printf(&layout->out, "\n%-11s", text);
    begin_color(layout, SAR_COLOR_RESTART);
    buf_printf(&layout->out, "  LINUX RESTART\t(%u CPU)\n", cpus);
    end_color(layout);
}

void sar_layout_begin_report(struct sar_layout *layout, uint32_t id)
{
    layout->reports = SAR_REPORT_BIT(id);
    layout->from_file = true;
    layout->lines = layout->shown = 0;
}

void sar_layout_end_report(struct sar_layout *layout)
{
    layout->heading = layout->lines == 0 || layout->lines >= layout->height;
}

/* Above a sample that was recorded. */
static bool needs_heading(struct sar_layout *layout)
{
    if (layout->lines >= layout->height)
        layout->lines = 0;
    return layout->lines == 0;
}

void sar_put_sample(struct sar_layout *layout, const struct sar_sample *before,
                    const struct sar_sample *sample, bool since_start)
{
    char began[64], ended[64];
    const struct span span = {
        .began = began, .ended = ended, .hundredths = hundredths_between(before, sample)};

    put_time(layout, since_start ? sample->time : before->time, began, sizeof(began));
    put_time(layout, sample->time, ended, sizeof(ended));
    if (layout->from_file)
        layout->heading = needs_heading(layout);
    else
        layout->heading = since_start || layout->several || layout->shown % layout->height == 0;
    put_reports(layout, before, sample, &span);
    layout->lines += count_rows(layout, before);
    layout->shown++;
}

void sar_put_averages(struct sar_layout *layout, const struct sar_sample *first,
                      const struct sar_sample *last)
{
    const struct span span = {
        .began = "Average:",
        .ended = "Average:",
        .hundredths = hundredths_between(first, last),
        .samples = layout->shown,
    };

    if (layout->shown == 0)
        return;
    if (!layout->from_file)
        layout->heading = layout->several;
    put_reports(layout, first, last, &span);
}
