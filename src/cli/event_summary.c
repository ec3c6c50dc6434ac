/* SPDX-License-Identifier: MIT */
/* Summary of events. */
#include "cli/event_summary.h"

#include "base/escape.h"
#include "base/units.h"
#include "base/vec.h"

#include <stdio.h>

/* More processes than these, by name, are counted together. */
#define GROUPS_MAX 1000

/*
 * Times are counted by size, in steps of a sixteenth: the median is exact to 3 %, and takes no
 * memory that grows.
 */
#define STEPS 16
#define SIZES (40 * STEPS)

struct times {
    uint64_t count, longest_us;
    uint32_t sizes[SIZES];
};

struct event_group {
    char process[16];
    const char *what; /* verdict, or the event */
    uint64_t count, rx_bytes, tx_bytes;
    struct times duration, handshake;
};

struct event_summary {
    struct event_group **groups;
    uint32_t count, capacity;
};

static unsigned int size_of(uint64_t us)
{
    unsigned int octave = us < STEPS ? 0 : 63 - (unsigned int)__builtin_clzll(us) - 3;
    unsigned int step = octave ? (unsigned int)(us >> (octave - 1)) - STEPS : (unsigned int)us;
    unsigned int size = octave * STEPS + step;

    return size < SIZES ? size : SIZES - 1;
}

/* The least time of a size. */
static uint64_t time_of(unsigned int size)
{
    unsigned int octave = size / STEPS, step = size % STEPS;

    return octave ? (uint64_t)(STEPS + step) << (octave - 1) : step;
}

static void count_time(struct times *times, uint64_t us)
{
    times->count++;
    times->sizes[size_of(us)]++;
    if (us > times->longest_us)
        times->longest_us = us;
}

static uint64_t median(const struct times *times)
{
    uint64_t below = 0;

    for (unsigned int i = 0; i < SIZES && times->count > 1; i++) {
        below += times->sizes[i];
        if (below * 2 >= times->count)
            return time_of(i) < times->longest_us ? time_of(i) : times->longest_us;
    }
    return times->longest_us;
}

struct event_summary *event_summary_new(void)
{
    return calloc(1, sizeof(struct event_summary));
}

void event_summary_free(struct event_summary *summary)
{
    for (uint32_t i = 0; summary && i < summary->count; i++)
        free(summary->groups[i]);
    if (summary)
        free(summary->groups);
    free(summary);
}

/* "" stands for all processes for which there was no group left. */
static int find_group(struct event_summary *summary, const char process[16], const char *what,
                      struct event_group **ret_group)
{
    struct event_group *group;
    int r;

    for (uint32_t i = 0; i < summary->count; i++)
        if (summary->groups[i]->what == what &&
            memcmp(summary->groups[i]->process, process, sizeof(group->process)) == 0) {
            *ret_group = summary->groups[i];
            return 0;
        }
    if (summary->count >= GROUPS_MAX && process[0])
        return find_group(summary, (const char[16]){0}, what, ret_group);
    r = VEC_RESERVE(&summary->groups, &summary->capacity, summary->count, 1);
    group = r < 0 ? NULL : calloc(1, sizeof(*group));
    if (!group)
        return -ENOMEM;
    memcpy(group->process, process, sizeof(group->process));
    group->what = what;
    summary->groups[summary->count++] = group;
    *ret_group = group;
    return 0;
}

static struct value cell(const struct grid *grid, uint32_t row, const char *name)
{
    return table_column(grid->table, name)->get(grid->view, grid->rows[row]);
}

/* Words out of tables live as long as the program. */
static int count_row(struct event_summary *summary, const struct grid *grid, uint32_t row)
{
    const struct event *event = &grid->view->snapshot->events[grid->rows[row]];
    struct value what = cell(grid, row, event->verdict ? "verdict" : "event");
    struct value duration = cell(grid, row, "duration_us");
    struct event_group *group;
    char process[16] = "-";
    size_t length;
    int r;

    if (event->has & EVENT_HAS_PROCESS) {
        const char *comm = snapshot_string(grid->view->snapshot, event->comm, &length);

        memset(process, 0, sizeof(process));
        memcpy(process, comm, length < sizeof(process) ? length : sizeof(process));
    }
    r = find_group(summary, process, what.type == VALUE_STRING ? what.string.bytes : "?", &group);
    if (r < 0)
        return r;
    group->count++;
    if (event->kind == EVENT_CLOSED) {
        group->rx_bytes += event->rx_bytes;
        group->tx_bytes += event->tx_bytes;
    }
    if (duration.type == VALUE_UINT)
        count_time(&group->duration, duration.uint);
    if (event->has & EVENT_HAS_HANDSHAKE)
        count_time(&group->handshake, event->handshake_us);
    return 0;
}

int event_summary_add(struct event_summary *summary, const struct grid *grid)
{
    int r = 0;

    for (uint32_t row = 0; row < grid->row_count && r == 0; row++)
        r = count_row(summary, grid, row);
    return r;
}

/* --- output --- */

static void put_right(struct buf *out, size_t width, const struct buf *cell)
{
    buf_pad(out, 2 + (cell->length < width ? width - cell->length : 0));
    buf_put(out, cell->data, cell->length);
}

static void put_number(struct buf *out, size_t width, uint64_t number, bool bytes)
{
    struct buf text = BUF_INIT;

    if (bytes)
        units_write_bytes(&text, number);
    else
        buf_uint(&text, number);
    put_right(out, width, &text);
    buf_done(&text);
}

static void put_times(struct buf *out, const struct times *times)
{
    struct buf text = BUF_INIT;

    if (times->count)
        units_write_duration(&text, median(times));
    else
        buf_byte(&text, '-');
    put_right(out, 9, &text);
    buf_reset(&text);
    if (times->count)
        units_write_duration(&text, times->longest_us);
    else
        buf_byte(&text, '-');
    put_right(out, 8, &text);
    buf_done(&text);
}

static size_t put_process(struct buf *out, const struct event_group *group)
{
    if (!group->process[0]) {
        buf_puts(out, "(others)");
        return 8;
    }
    return escape_text(out, group->process, strnlen(group->process, sizeof(group->process)));
}

int event_summary_text(const struct event_summary *summary, struct buf *out)
{
    buf_printf(out, "\n%-15s  %-13s  %8s  %8s  %8s  %9s  %8s  %9s  %8s\n", "PROCESS", "WHAT",
               "COUNT", "RX", "TX", "DURATION", "LONGEST", "HANDSHAKE", "LONGEST");
    for (uint32_t i = 0; i < summary->count; i++) {
        const struct event_group *group = summary->groups[i];
        size_t width = put_process(out, group);

        buf_pad(out, width < 15 ? 17 - width : 2);
        buf_printf(out, "%-13s", group->what);
        put_number(out, 8, group->count, false);
        put_number(out, 8, group->rx_bytes, true);
        put_number(out, 8, group->tx_bytes, true);
        put_times(out, &group->duration);
        put_times(out, &group->handshake);
        buf_byte(out, '\n');
    }
    return out->error;
}

static void put_json_times(struct buf *out, const char *name, const struct times *times)
{
    buf_printf(out, ",\"%s_median_us\":", name);
    if (times->count)
        buf_uint(out, median(times));
    else
        buf_puts(out, "null");
    buf_printf(out, ",\"%s_max_us\":", name);
    if (times->count)
        buf_uint(out, times->longest_us);
    else
        buf_puts(out, "null");
}

int event_summary_json(const struct event_summary *summary, struct buf *out)
{
    buf_byte(out, '[');
    for (uint32_t i = 0; i < summary->count; i++) {
        const struct event_group *group = summary->groups[i];

        buf_puts(out, i ? ",\n{\"process\":" : "\n{\"process\":");
        if (group->process[0])
            escape_json(out, group->process, strnlen(group->process, sizeof(group->process)));
        else
            buf_puts(out, "null");
        buf_printf(out, ",\"what\":\"%s\",\"count\":", group->what);
        buf_uint(out, group->count);
        buf_puts(out, ",\"rx_bytes\":");
        buf_uint(out, group->rx_bytes);
        buf_puts(out, ",\"tx_bytes\":");
        buf_uint(out, group->tx_bytes);
        put_json_times(out, "duration", &group->duration);
        put_json_times(out, "handshake", &group->handshake);
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
    return out->error;
}
