/* SPDX-License-Identifier: MIT */
/* sar: samples of this machine, as time goes by. */
#include "compat/sar.h"

#include "base/clock.h"
#include "compat/moment.h"
#include "compat/say.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define HUNDREDTH_NS (SECOND_NS / 100)

enum link_column { LINK_NAME, LINK_SPEED, LINK_DUPLEX, LINK_COUNTERS };
enum counter_column { COUNTER_NAME, COUNTER_CPU, COUNTER_VALUE, COUNTER_COLUMNS };

static const char *const link_columns[LINK_COUNTERS] = {
    [LINK_NAME] = "iface",
    [LINK_SPEED] = "speed_bits",
    [LINK_DUPLEX] = "duplex",
};
static const char *const counter_columns[COUNTER_COLUMNS] = {
    [COUNTER_NAME] = "counter",
    [COUNTER_CPU] = "cpu",
    [COUNTER_VALUE] = "value",
};

struct live {
    uint32_t reports;
    uint64_t interval_ns;
    uint64_t next_ns; /* CLOCK_BOOTTIME, of the next sample; 0: the first, at once */
    int timer;        /* timerfd of that clock */
    int interrupts;   /* signalfd of SIGINT */
    bool needs_links, needs_counters;
    struct query links, counters;
};

static bool takes(const struct live *live, uint32_t id, enum sar_rows rows)
{
    return live->reports & SAR_REPORT_BIT(id) && sar_reports[id].rows == rows;
}

static void add_columns(struct query *query, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count && names[i]; i++)
        query->columns[query->column_count++] = table_column(query->table, names[i]);
}

/* Of interfaces: what every report needs, then the counters in the order of the reports. */
static void choose_columns(struct live *live)
{
    live->links = (struct query){.table = &table_interfaces, .as_found = true};
    add_columns(&live->links, link_columns, LINK_COUNTERS);
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        live->needs_links |= takes(live, id, SAR_OF_INTERFACES);
        for (uint32_t i = 0; i < sar_reports[id].column_count; i++)
            if (takes(live, id, SAR_OF_INTERFACES))
                add_columns(&live->links, sar_reports[id].columns[i].counters, SAR_SUMMANDS);
    }
    live->needs_counters = live->reports & ~(SAR_REPORT_BIT(SAR_DEV) | SAR_REPORT_BIT(SAR_EDEV));
    live->counters = (struct query){.table = &table_counters, .as_found = true};
    add_columns(&live->counters, counter_columns, COUNTER_COLUMNS);
}

static uint64_t number(const struct grid *grid, uint32_t row, uint32_t column)
{
    struct value value = grid_cell(grid, row, column);

    return value.type == VALUE_UINT ? value.uint : 0;
}

/* --- interfaces --- */

static int add_link(const struct grid *grid, uint32_t row, const struct sar_report *report,
                    uint32_t *at, struct sar_block *block)
{
    struct value name = grid_cell(grid, row, LINK_NAME);
    struct value duplex = grid_cell(grid, row, LINK_DUPLEX);
    struct sar_row *added = sar_block_add(block);

    if (!added)
        return -ENOMEM;
    snprintf(added->name, sizeof(added->name), "%.*s", (int)name.string.length, name.string.bytes);
    added->speed_bits = number(grid, row, LINK_SPEED);
    added->full_duplex = value_is_text(&duplex, "full");
    for (uint32_t i = 0; i < report->column_count; i++)
        for (uint32_t j = 0; j < SAR_SUMMANDS && report->columns[i].counters[j]; j++)
            added->values[i] += number(grid, row, (*at)++);
    return 0;
}

static int take_links(const struct live *live, const struct grid *grid, struct sar_sample *sample)
{
    int r = 0;

    for (uint32_t row = 0; row < grid->row_count && r == 0; row++) {
        uint32_t at = LINK_COUNTERS;

        for (uint32_t id = 0; id < SAR_REPORT_MAX && r == 0; id++)
            if (takes(live, id, SAR_OF_INTERFACES))
                r = add_link(grid, row, &sar_reports[id], &at, &sample->blocks[id]);
    }
    return r;
}

/* --- counters --- */

/* The column of a report that a counter is a part of; -1 none. */
static int column_of(const struct sar_report *report, const struct value *counter)
{
    for (uint32_t i = 0; i < report->column_count; i++)
        for (uint32_t j = 0; j < SAR_SUMMANDS && report->columns[i].counters[j]; j++)
            if (value_is_text(counter, report->columns[i].counters[j]))
                return (int)i;
    return -1;
}

/* The kernel tells of one CPU after the other: the row is the last one, or new. */
static struct sar_row *row_of_cpu(struct sar_block *block, const struct value *cpu)
{
    struct sar_row *row = block->count ? &block->rows[block->count - 1] : NULL;
    char name[IFNAMSIZ] = "all";

    if (cpu->type == VALUE_UINT)
        snprintf(name, sizeof(name), "%u", (unsigned int)cpu->uint);
    if (row && strcmp(row->name, name) == 0)
        return row;
    row = sar_block_add(block);
    if (row)
        memcpy(row->name, name, sizeof(name));
    return row;
}

static struct sar_row *row_of(const struct live *live, uint32_t id, const struct value *cpu,
                              struct sar_block *block)
{
    if (takes(live, id, SAR_OF_CPUS))
        return row_of_cpu(block, cpu);
    return block->count ? block->rows : sar_block_add(block);
}

static int take_counters(const struct live *live, const struct grid *grid,
                         struct sar_sample *sample)
{
    for (uint32_t row = 0; row < grid->row_count; row++) {
        struct value counter = grid_cell(grid, row, COUNTER_NAME);
        struct value cpu = grid_cell(grid, row, COUNTER_CPU);

        for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
            struct sar_row *of;
            int column = takes(live, id, SAR_OF_MACHINE) || takes(live, id, SAR_OF_CPUS)
                             ? column_of(&sar_reports[id], &counter)
                             : -1;

            if (column < 0)
                continue;
            of = row_of(live, id, &cpu, &sample->blocks[id]);
            if (!of)
                return -ENOMEM;
            of->values[column] += number(grid, row, COUNTER_VALUE);
        }
    }
    return 0;
}

/* --- samples --- */

/* Reads what a table needs, and takes over its rows; all of them, or it fails. */
static int take_table(struct live *live, const struct query *query, struct sar_sample *sample,
                      int (*take)(const struct live *live, const struct grid *grid,
                                  struct sar_sample *sample))
{
    const struct host_names none = {.count = 0};
    struct moment moment;
    struct grid grid;
    int r;

    moment_init(&moment);
    r = moment_take(&moment, query);
    if (r == 0)
        r = query_run(query, &moment.view, &grid);
    if (r == 0) {
        r = take(live, &grid, sample);
        grid_done(&grid);
        if (r == 0 && !moment_check(&moment, &none, "sar", false))
            r = -EIO;
        sample->time = moment.snapshot.time_ns / SECOND_NS;
        sample->uptime_cs = moment.snapshot.boot_ns / HUNDREDTH_NS;
        if (live->next_ns == 0)
            live->next_ns = moment.snapshot.boot_ns;
    }
    moment_done(&moment);
    return r;
}

/* Counters first: the sockets by which interfaces are asked for would be counted themselves. */
static int take_tables(struct live *live, struct sar_sample *sample)
{
    int r = 0;

    if (live->needs_counters)
        r = take_table(live, &live->counters, sample, take_counters);
    if (r == 0 && live->needs_links)
        r = take_table(live, &live->links, sample, take_links);
    return r;
}

/* Waits for the time of the next sample. 1; 0: SIGINT came before; -errno. */
static int wait_for_turn(const struct live *live)
{
    /* poll() itself would be late by a thousandth of the time. */
    const struct itimerspec turn = {.it_value = {.tv_sec = (time_t)(live->next_ns / SECOND_NS),
                                                 .tv_nsec = (long)(live->next_ns % SECOND_NS)}};
    struct pollfd fds[] = {{.fd = live->timer, .events = POLLIN},
                           {.fd = live->interrupts, .events = POLLIN}};
    int ready;

    if (live->next_ns == 0)
        return 1;
    if (timerfd_settime(live->timer, TFD_TIMER_ABSTIME, &turn, NULL) < 0)
        return -errno;
    do
        ready = poll(fds, ARRAY_SIZE(fds), -1);
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return -errno;
    return !fds[1].revents;
}

static int next(struct sar_source *source, struct sar_sample *sample)
{
    struct live *live = source->context;
    int r = wait_for_turn(live);

    if (r <= 0)
        return r;
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        sample->blocks[id].count = 0;
        if (takes(live, id, SAR_OF_NOTHING) && !sar_block_add(&sample->blocks[id]))
            return -ENOMEM;
    }
    r = take_tables(live, sample);
    /* Turns that were slept through are not made up for. */
    live->next_ns += live->interval_ns;
    if (live->next_ns < clock_ns(CLOCK_BOOTTIME))
        live->next_ns = clock_ns(CLOCK_BOOTTIME);
    return r < 0 ? r : 1;
}

/* SIGINT is taken from its descriptor from now on. */
static int open_descriptors(struct live *live)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return -errno;
    live->interrupts = signalfd(-1, &signals, SFD_CLOEXEC);
    live->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    return live->interrupts < 0 || live->timer < 0 ? -errno : 0;
}

static void close_live(struct sar_source *source)
{
    struct live *live = source->context;

    if (live) {
        cleanup_close(&live->timer);
        cleanup_close(&live->interrupts);
    }
    free(live);
}

int sar_live_open(const struct sar_options *options, struct sar_source *ret_source)
{
    struct live *live = calloc(1, sizeof(*live));

    *ret_source = (struct sar_source){
        .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
        .context = live,
        .next = next,
        .close = close_live,
    };
    if (!live)
        return -ENOMEM;
    uname(&ret_source->machine);
    live->reports = options->reports;
    live->interval_ns = options->interval * SECOND_NS;
    live->timer = live->interrupts = -1;
    choose_columns(live);
    return open_descriptors(live);
}
