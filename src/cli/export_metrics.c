/* SPDX-License-Identifier: MIT */
/* Export as OpenMetrics: bounded series by program, user and service, by interface, by state. */
#include "base/hash.h"
#include "base/vec.h"
#include "cli/export.h"
#include "cli/export_series.h"

#include <stdlib.h>
#include <string.h>

/* Things with labels of their own, those with most bytes of the whole time; the others are one. */
#define THINGS_MAX 100

struct things {
    struct thing {
        char *labels;
        uint64_t bytes;
    } * items;
    uint32_t count, capacity;
    struct map index; /* hash of the labels -> item */
};

/* A column of the rows that is a metric. */
struct metric_column {
    enum metric metric;
    const char *direction; /* NULL: none */
    uint32_t column;
};

struct metric_source {
    struct export_kind kind;
    void (*labels)(const struct grid *grid, uint32_t row, struct buf *out);
    const char *others;            /* labels of things that are too many */
    uint32_t rx_column, tx_column; /* by which the largest are found */
    const struct metric_column *columns;
    uint32_t column_count;
    /* Instead of `columns`. 0 or -ENOMEM. */
    int (*add)(struct export_series *series, const struct grid *grid, uint32_t row);
};

struct collecting {
    struct export *export;
    const struct metric_source *source;
    struct things things;
    struct export_series series;
};

/* --- labels --- */

static void put_label(const char *name, const struct value *value, struct buf *labels)
{
    CLEANUP(buf_done) struct buf number = BUF_INIT;

    if (value->type == VALUE_STRING)
        openmetrics_label(name, value->string.bytes, value->string.length, labels);
    if (value->type != VALUE_UINT)
        return;
    buf_uint(&number, value->uint);
    openmetrics_label(name, buf_string(&number), number.length, labels);
}

enum { FLOW_PROCESS, FLOW_EXE, FLOW_USER, FLOW_UNIT, FLOW_CONTAINER, FLOW_RX, FLOW_TX };

static struct value base_name(struct value path)
{
    const char *slash = memrchr(path.string.bytes, '/', path.string.length);

    return slash ? value_bytes(slash + 1,
                               path.string.length - (size_t)(slash + 1 - path.string.bytes))
                 : path;
}

static void flow_labels(const struct grid *grid, uint32_t row, struct buf *labels)
{
    struct value name = grid_cell(grid, row, FLOW_EXE);
    struct value service, owner;

    name = name.type == VALUE_STRING ? base_name(name) : grid_cell(grid, row, FLOW_PROCESS);
    if (name.type != VALUE_STRING || !name.string.length)
        name = value_name("_unknown");
    put_label("process_executable_name", &name, labels);
    owner = grid_cell(grid, row, FLOW_USER);
    put_label("process_owner", &owner, labels);
    service = grid_cell(grid, row, FLOW_UNIT);
    if (service.type == VALUE_NONE)
        service = grid_cell(grid, row, FLOW_CONTAINER);
    put_label("service", &service, labels);
}

enum { LINK_NAME, LINK_NETNS, LINK_NUMBERS };

static void interface_labels(const struct grid *grid, uint32_t row, struct buf *labels)
{
    struct value name = grid_cell(grid, row, LINK_NAME), netns;

    put_label("network_interface_name", &name, labels);
    netns = grid_cell(grid, row, LINK_NETNS);
    if (!value_is_text(&netns, "init"))
        put_label("netns", &netns, labels);
}

/* --- numbers --- */

static int add_columns(struct collecting *collecting, const struct grid *grid, uint32_t row,
                       const char *labels)
{
    const struct metric_source *source = collecting->source;
    int r = 0;

    for (uint32_t i = 0; i < source->column_count && r == 0; i++) {
        const struct metric_column *column = &source->columns[i];
        struct value value = grid_cell(grid, row, column->column);
        CLEANUP(buf_done) struct buf whole = BUF_INIT;

        if (value.type != VALUE_UINT || !value.uint)
            continue;
        buf_puts(&whole, labels);
        openmetrics_label("network_io_direction", column->direction, strlen(column->direction),
                          &whole);
        buf_string(&whole);
        r = whole.error
                ? whole.error
                : export_series_add(&collecting->series, column->metric, whole.data, value.uint);
    }
    return r;
}

static int add_counter(struct export_series *series, const struct grid *grid, uint32_t row)
{
    struct value name = grid_cell(grid, row, 0), value;
    enum metric metric = metric_of_counter(name.string.bytes, name.string.length);

    if (metric == METRIC_MAX)
        return 0;
    value = grid_cell(grid, row, 1);
    return value.type == VALUE_UINT ? export_series_add(series, metric, "", value.uint) : 0;
}

static int add_state(struct export_series *series, const struct grid *grid, uint32_t row)
{
    CLEANUP(buf_done) struct buf labels = BUF_INIT;
    struct value proto = grid_cell(grid, row, 0), state = grid_cell(grid, row, 1);
    struct value mean = grid_cell(grid, row, 2);

    put_label("network_transport", &proto, &labels);
    openmetrics_state_label(state.string.bytes, state.string.length, &labels);
    buf_string(&labels);
    if (labels.error || mean.type != VALUE_UINT)
        return labels.error;
    return export_series_add(series, METRIC_CONNECTIONS, labels.data, mean.uint);
}

/* --- where they come from --- */

static uint64_t flows_measured(const struct store_answer *answer)
{
    return answer->measured_ns;
}

static uint64_t machine_measured(const struct store_answer *answer)
{
    return answer->interface_measured_ns;
}

static const char *const flow_columns[] = {"process",   "exe",      "user",     "unit",
                                           "container", "rx_bytes", "tx_bytes", NULL};
static const char *const interface_columns[] = {
    "iface",      "netns",      "rx_bytes",  "tx_bytes",  "rx_packets", "tx_packets",
    "rx_dropped", "tx_dropped", "rx_errors", "tx_errors", NULL};
static const char *const counter_columns[] = {"counter", "value", NULL};
static const char *const state_columns[] = {"proto", "state", "mean", NULL};

static const struct metric_column flow_metrics[] = {
    {METRIC_PROCESS_BYTES, "receive", FLOW_RX},
    {METRIC_PROCESS_BYTES, "transmit", FLOW_TX},
};

static const struct metric_column interface_metrics[] = {
    {METRIC_INTERFACE_BYTES, "receive", LINK_NUMBERS},
    {METRIC_INTERFACE_BYTES, "transmit", LINK_NUMBERS + 1},
    {METRIC_INTERFACE_PACKETS, "receive", LINK_NUMBERS + 2},
    {METRIC_INTERFACE_PACKETS, "transmit", LINK_NUMBERS + 3},
    {METRIC_INTERFACE_DROPPED, "receive", LINK_NUMBERS + 4},
    {METRIC_INTERFACE_DROPPED, "transmit", LINK_NUMBERS + 5},
    {METRIC_INTERFACE_ERRORS, "receive", LINK_NUMBERS + 6},
    {METRIC_INTERFACE_ERRORS, "transmit", LINK_NUMBERS + 7},
};

#define COLUMNS(array) .columns = (array), .column_count = ARRAY_SIZE(array)

static const struct metric_source sources[] = {
    {.kind = {"flow", &table_flows, 0, flow_columns, 0, flows_measured},
     .labels = flow_labels,
     .others = "process_executable_name=\"_other\"",
     .rx_column = FLOW_RX,
     .tx_column = FLOW_TX,
     COLUMNS(flow_metrics)},
    {.kind = {"interface", &table_interfaces, STORE_INTERFACES, interface_columns, 0,
              machine_measured},
     .labels = interface_labels,
     .others = "network_interface_name=\"_other\"",
     .rx_column = LINK_NUMBERS,
     .tx_column = LINK_NUMBERS + 1,
     COLUMNS(interface_metrics)},
    {.kind = {"counter", &table_counters, STORE_COUNTERS | STORE_INTERFACES, counter_columns, 0,
              machine_measured},
     .add = add_counter},
    {.kind = {"state", &table_states, STORE_STATES | STORE_INTERFACES, state_columns, 0,
              machine_measured},
     .add = add_state},
};

/* --- the largest things --- */

static void things_done(struct things *things)
{
    for (uint32_t i = 0; i < things->count; i++)
        free(things->items[i].labels);
    free(things->items);
    map_done(&things->index);
    *things = (struct things){0};
}

/* The hash under which it is, or would be. */
static uint32_t find_thing(const struct things *things, const char *labels, uint64_t *ret_hash)
{
    uint64_t hash = hash_bytes(HASH_INIT, labels, strlen(labels));
    uint32_t at;

    while ((at = map_get(&things->index, hash)) != MAP_NONE &&
           strcmp(things->items[at].labels, labels) != 0)
        hash++;
    *ret_hash = hash;
    return at;
}

static int add_thing(struct things *things, const char *labels, uint64_t bytes)
{
    uint64_t hash;
    uint32_t at = find_thing(things, labels, &hash);
    char *copy;
    int r;

    if (at != MAP_NONE) {
        things->items[at].bytes += bytes;
        return 0;
    }
    r = VEC_RESERVE(&things->items, &things->capacity, things->count, 1);
    copy = r == 0 ? strdup(labels) : NULL;
    r = copy ? map_set(&things->index, hash, things->count) : -ENOMEM;
    if (r < 0) {
        free(copy);
        return r;
    }
    things->items[things->count++] = (struct thing){.labels = copy, .bytes = bytes};
    return 0;
}

static int compare_things(const void *a, const void *b)
{
    const struct thing *left = a, *right = b;

    return left->bytes > right->bytes ? -1 : left->bytes < right->bytes;
}

static int keep_largest(struct things *things)
{
    int r = 0;

    if (things->count)
        qsort(things->items, things->count, sizeof(*things->items), compare_things);
    map_clear(&things->index);
    while (things->count > THINGS_MAX)
        free(things->items[--things->count].labels);
    for (uint32_t i = 0, count = things->count; i < count && r == 0; i++) {
        uint64_t hash;

        things->count = i;
        find_thing(things, things->items[i].labels, &hash);
        r = map_set(&things->index, hash, i);
        things->count = count;
    }
    return r;
}

/* --- passes --- */

static int take_things(struct export_pass *pass, const struct store_answer *answer,
                       const struct grid *grid)
{
    struct collecting *collecting = pass->context;
    const struct metric_source *source = collecting->source;
    int r = 0;

    (void)answer;
    for (uint32_t row = 0; row < grid->row_count && r == 0; row++) {
        CLEANUP(buf_done) struct buf labels = BUF_INIT;

        source->labels(grid, row, &labels);
        buf_string(&labels);
        r = labels.error ? labels.error
                         : add_thing(&collecting->things, labels.data,
                                     grid_cell(grid, row, source->rx_column).uint +
                                         grid_cell(grid, row, source->tx_column).uint);
    }
    return r;
}

static int add_row(struct collecting *collecting, const struct grid *grid, uint32_t row)
{
    CLEANUP(buf_done) struct buf labels = BUF_INIT;
    const struct metric_source *source = collecting->source;
    uint64_t hash;
    bool known;

    if (source->add)
        return source->add(&collecting->series, grid, row);
    source->labels(grid, row, &labels);
    buf_string(&labels);
    if (labels.error)
        return labels.error;
    known = find_thing(&collecting->things, labels.data, &hash) != MAP_NONE;
    return add_columns(collecting, grid, row, known ? labels.data : source->others);
}

static int take_numbers(struct export_pass *pass, const struct store_answer *answer,
                        const struct grid *grid)
{
    struct collecting *collecting = pass->context;
    uint64_t last_ns = collecting->export->question.until_ns;
    int r = export_series_piece(&collecting->series, answer->since_ns,
                                answer->until_ns < last_ns ? answer->until_ns : last_ns,
                                pass->kind->measured(answer) > 0);

    for (uint32_t row = 0; row < grid->row_count && r == 0; row++)
        r = add_row(collecting, grid, row);
    return r;
}

static int collect_source(struct collecting *collecting)
{
    struct export *export = collecting->export;
    struct store_question whole = export->question;
    struct export_pass pass = {
        .kind = &collecting->source->kind, .take = take_things, .context = collecting};
    uint64_t rows = export->rows;
    int r = 0;

    whole.every_ns = 0;
    if (collecting->source->labels)
        r = export_read(export, &pass, &whole);
    if (r == 0)
        r = keep_largest(&collecting->things);
    export->rows = rows;
    pass.take = take_numbers;
    return r == 0 ? export_read(export, &pass, &export->question) : r;
}

int export_metrics(struct export *export)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(sources) && r == 0; i++) {
        struct collecting collecting = {.export = export, .source = &sources[i]};
        bool fits = true;

        if (i > 0)
            r = export_filter_fits(export->options, &sources[i].kind, &fits);
        if (r == 0 && !fits)
            continue;
        if (r == 0)
            r = collect_source(&collecting);
        for (unsigned int metric = 0; metric < METRIC_MAX && r == 0; metric++)
            export_series_write(&collecting.series, metric, &export->out);
        if (r == 0)
            r = export->out.error;
        things_done(&collecting.things);
        export_series_done(&collecting.series);
    }
    if (r == 0)
        openmetrics_end(&export->out);
    return r;
}
