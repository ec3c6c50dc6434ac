/* SPDX-License-Identifier: MIT */
/* A small table of hand-made cells, for tests of the outputs. */
#pragma once

#include "table/query.h"

#include <sys/socket.h>

#define FAKE_COLUMNS 8

/* The cells of a view are in view.resolve_context: with no resolver nobody else looks at it. */
struct fake_row {
    struct value cells[FAKE_COLUMNS];
};

#define FAKE_GETTER(number)                                                                        \
    static inline struct value fake_get_##number(const struct view *view, uint32_t row)            \
    {                                                                                              \
        return ((const struct fake_row *)view->resolve_context)[row].cells[number];                \
    }
FAKE_GETTER(0)
FAKE_GETTER(1)
FAKE_GETTER(2)
FAKE_GETTER(3)
FAKE_GETTER(4)
FAKE_GETTER(5)
FAKE_GETTER(6)
FAKE_GETTER(7)

static const struct column fake_columns[FAKE_COLUMNS] = {
    {.name = "state", .title = "STATE", .kind = KIND_NAME, .get = fake_get_0},
    {.name = "recv_q", .title = "RECV-Q", .kind = KIND_BYTES, .get = fake_get_1},
    {.name = "process", .title = "PROCESS", .kind = KIND_TEXT, .get = fake_get_2},
    {.name = "peer_addr", .title = "PEER", .kind = KIND_ADDRESS, .get = fake_get_3},
    {.name = "rtt_us", .title = "RTT", .kind = KIND_MICROSECONDS, .get = fake_get_4},
    {.name = "v6only", .title = "V6ONLY", .kind = KIND_BOOL, .get = fake_get_5},
    {.name = "mark", .title = "MARK", .kind = KIND_HEX, .get = fake_get_6},
    {.name = "owners", .title = "OWNERS", .kind = KIND_LIST, .get = fake_get_7},
};

static const struct table fake_table = {
    .name = "fakes", .columns = fake_columns, .column_count = FAKE_COLUMNS};

static inline struct value fake_owner_name(const struct view *view, uint32_t row)
{
    (void)view;
    return value_name(row == 1 ? "a,\"b\"\n" : "nginx");
}

static inline struct value fake_owner_pid(const struct view *view, uint32_t row)
{
    (void)view;
    return value_uint(1200 + row);
}

static inline struct value fake_owner_fd(const struct view *view, uint32_t row)
{
    (void)view;
    return row == 2 ? value_none() : (struct value){.type = VALUE_INT, .integer = (int64_t)row - 1};
}

static const struct column fake_owner_columns[] = {
    {.name = "pid", .kind = KIND_ID, .flags = COLUMN_MACHINE | COLUMN_KEY, .get = fake_owner_pid},
    {.name = "process", .kind = KIND_TEXT, .flags = COLUMN_MACHINE, .get = fake_owner_name},
    {.name = "fd", .kind = KIND_ID, .flags = COLUMN_MACHINE | COLUMN_KEY, .get = fake_owner_fd},
    {.name = "shown", .kind = KIND_TEXT, .flags = COLUMN_TEXT, .get = fake_owner_name},
};

static const struct table fake_owners = {
    .name = "owners", .columns = fake_owner_columns, .column_count = 4};

static inline struct value fake_list(uint32_t first, uint32_t count)
{
    return (struct value){.type = VALUE_LIST,
                          .list = {.table = &fake_owners, .first = first, .count = count}};
}

static inline struct value fake_address(const void *bytes, uint8_t family)
{
    return (struct value){.type = VALUE_ADDRESS, .address = {.bytes = bytes, .family = family}};
}

#define FAKE_ROWS_MAX 16

/* A grid over the first `columns` columns of hand-made rows; fake_done() frees it. */
struct fake {
    struct snapshot snapshot;
    struct view view, gone_view;
    struct buf scratch;
    const struct column *columns[FAKE_COLUMNS];
    uint32_t rows[FAKE_ROWS_MAX];
    uint8_t marks[FAKE_ROWS_MAX];
    struct grid grid;
};

/* 0, or -ENOMEM. */
static inline int fake_init(struct fake *fake, const struct fake_row *rows, uint32_t row_count,
                            uint32_t column_count)
{
    *fake = (struct fake){.scratch = BUF_INIT};
    if (snapshot_init(&fake->snapshot) < 0)
        return -ENOMEM;
    fake->view = (struct view){.snapshot = &fake->snapshot,
                               .scratch = &fake->scratch,
                               .resolve_context = (void *)(uintptr_t)rows};
    fake->gone_view = fake->view;
    for (uint32_t i = 0; i < FAKE_COLUMNS; i++)
        fake->columns[i] = &fake_columns[i];
    for (uint32_t i = 0; i < FAKE_ROWS_MAX; i++)
        fake->rows[i] = i;
    fake->grid = (struct grid){.table = &fake_table,
                               .view = &fake->view,
                               .columns = fake->columns,
                               .column_count = column_count,
                               .rows = fake->rows,
                               .row_count = row_count};
    return 0;
}

static inline void fake_done(struct fake *fake)
{
    snapshot_done(&fake->snapshot);
    buf_done(&fake->scratch);
}
