/* SPDX-License-Identifier: MIT */
/* The table of states: how many sockets were in each in the course of a time. */
#include "base/buf.h"
#include "base/hash.h"
#include "model/state_count.h"
#include "table/cells.h"

static const struct state_count *get_count(const struct view *view, uint32_t row)
{
    return &view->states[row];
}

static struct value get_proto(const struct view *view, uint32_t row)
{
    return value_name(socket_proto_name(get_count(view, row)->proto));
}

static struct value get_state(const struct view *view, uint32_t row)
{
    return value_name(socket_state_name(get_count(view, row)->state));
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_count(view, row)->netns);
}

static struct value get_mean(const struct view *view, uint32_t row)
{
    const struct state_count *count = get_count(view, row);

    return cell_number(count->ticks,
                       count->ticks ? (count->sum + count->ticks / 2) / count->ticks : 0);
}

static struct value get_least(const struct view *view, uint32_t row)
{
    return value_uint(get_count(view, row)->min);
}

static struct value get_most(const struct view *view, uint32_t row)
{
    return value_uint(get_count(view, row)->max);
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column columns[] = {
    {"time", "TIME", "End of the time", KIND_TEXT, COLUMN_MACHINE, 0, cell_time},
    {"proto", "PROTO", "Protocol", KIND_NAME, SHOWN | COLUMN_KEY, 0, get_proto},
    {"state", "STATE", "State", KIND_NAME, SHOWN | COLUMN_KEY, 0, get_state},
    {"netns", "NETNS", "Network namespace: its name, init, or its inode", KIND_TEXT,
     SHOWN | COLUMN_KEY, 0, get_netns},
    {"mean", "MEAN", "Mean number of sockets", KIND_COUNT, SHOWN, 0, get_mean},
    {"least", "LEAST", "Least number at any tick", KIND_COUNT, SHOWN, 0, get_least},
    {"most", "MOST", "Largest number at any tick", KIND_COUNT, SHOWN, 0, get_most},
};

static uint32_t row_count(const struct view *view)
{
    return view->state_count;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    const struct state_count *count = get_count(view, row);

    return hash_number(hash_number(HASH_INIT, view->snapshot->netns[count->netns].inode),
                       (uint64_t)count->proto << 8 | count->state);
}

static const char *const words[] = {"state", "proto", "netns", NULL};

const struct table table_states = {
    .name = "states",
    .help = "Sockets by state in the course of a time (nwho history --by state)",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "a state, a protocol or a namespace",
    .row_count = row_count,
    .identity = row_identity,
};
