/* SPDX-License-Identifier: MIT */
/* Summary of events. */
#include "cli/event_summary.h"

#include "base/escape.h"
#include "base/map.h"
#include "base/units.h"
#include "base/vec.h"

#include <stdio.h>

/* What has no room is counted together, one group for each kind. */
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

enum process_known {
    PROCESS_NAMED,
    PROCESS_UNKNOWN,
    PROCESS_OTHERS, /* of groups for which there was no room */
};

struct group_key {
    enum process_known known;
    char process[16];
    const char *what; /* verdict, or the event */
};

struct event_group {
    struct group_key key;
    uint64_t count, rx_bytes, tx_bytes;
    struct times duration, handshake;
};

struct event_summary {
    struct event_group **groups;
    uint32_t count, capacity;
    struct map index; /* of them, by hash_key() or the next number that is free */
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
    if (!summary)
        return;
    for (uint32_t i = 0; i < summary->count; i++)
        free(summary->groups[i]);
    free(summary->groups);
    map_done(&summary->index);
    free(summary);
}

static uint64_t hash_key(const struct group_key *key)
{
    uint64_t halves[2], hash;

    memcpy(halves, key->process, sizeof(halves));
    hash = (halves[0] ^ key->known) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ halves[1]) * UINT64_C(0xff51afd7ed558ccd);
    return (hash ^ (uintptr_t)key->what) * UINT64_C(0xc4ceb9fe1a85ec53);
}

static bool is_same(const struct group_key *a, const struct group_key *b)
{
    return a->known == b->known && a->what == b->what &&
           memcmp(a->process, b->process, sizeof(a->process)) == 0;
}

static int add_group(struct event_summary *summary, const struct group_key *key, uint64_t hash,
                     struct event_group **ret_group)
{
    int r = VEC_RESERVE(&summary->groups, &summary->capacity, summary->count, 1);
    struct event_group *group = r < 0 ? NULL : calloc(1, sizeof(*group));

    if (!group || map_set(&summary->index, hash, summary->count) < 0) {
        free(group);
        return -ENOMEM;
    }
    group->key = *key;
    summary->groups[summary->count++] = group;
    *ret_group = group;
    return 0;
}

static int find_group(struct event_summary *summary, const struct group_key *key,
                      struct event_group **ret_group)
{
    const struct group_key others = {.known = PROCESS_OTHERS, .what = key->what};
    uint64_t hash = hash_key(key);
    uint32_t found;

    while ((found = map_get(&summary->index, hash)) != MAP_NONE &&
           !is_same(&summary->groups[found]->key, key))
        hash++;
    if (found == MAP_NONE && summary->count >= GROUPS_MAX && key->known != PROCESS_OTHERS)
        return find_group(summary, &others, ret_group);
    if (found == MAP_NONE)
        return add_group(summary, key, hash, ret_group);
    *ret_group = summary->groups[found];
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
    struct group_key key = {.known = PROCESS_UNKNOWN,
                            .what = what.type == VALUE_STRING ? what.string.bytes : "?"};
    struct event_group *group;
    int r;

    if (event->has & EVENT_HAS_PROCESS) {
        size_t length;
        const char *comm = snapshot_string(grid->view->snapshot, event->comm, &length);

        key.known = PROCESS_NAMED;
        memcpy(key.process, comm, length < sizeof(key.process) ? length : sizeof(key.process));
    }
    r = find_group(summary, &key, &group);
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

static int compare_groups(const void *a, const void *b)
{
    const struct event_group *x = *(struct event_group *const *)a;
    const struct event_group *y = *(struct event_group *const *)b;
    bool x_rest = x->key.known == PROCESS_OTHERS, y_rest = y->key.known == PROCESS_OTHERS;

    if (x_rest != y_rest)
        return x_rest ? 1 : -1;
    return x->count == y->count ? 0 : x->count > y->count ? -1 : 1;
}

void event_summary_end(struct event_summary *summary)
{
    if (summary->count)
        qsort(summary->groups, summary->count, sizeof(struct event_group *), compare_groups);
}

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
    const char *process = group->key.process;

    if (group->key.known == PROCESS_NAMED)
        return escape_text(out, process, strnlen(process, sizeof(group->key.process)));
    buf_puts(out, group->key.known == PROCESS_OTHERS ? "(others)" : "-");
    return group->key.known == PROCESS_OTHERS ? 8 : 1;
}

int event_summary_text(const struct event_summary *summary, struct buf *out)
{
    buf_printf(out, "\n%-15s  %-13s  %8s  %8s  %8s  %9s  %8s  %9s  %8s\n", "PROCESS", "WHAT",
               "COUNT", "RX", "TX", "DURATION", "LONGEST", "HANDSHAKE", "LONGEST");
    for (uint32_t i = 0; i < summary->count; i++) {
        const struct event_group *group = summary->groups[i];
        size_t width = put_process(out, group);

        buf_pad(out, width < 15 ? 17 - width : 2);
        buf_printf(out, "%-13s", group->key.what);
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
        if (group->key.known == PROCESS_NAMED)
            escape_json(out, group->key.process,
                        strnlen(group->key.process, sizeof(group->key.process)));
        else
            buf_puts(out, "null");
        buf_printf(out, ",\"others\":%s,\"what\":\"%s\",\"count\":",
                   group->key.known == PROCESS_OTHERS ? "true" : "false", group->key.what);
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
