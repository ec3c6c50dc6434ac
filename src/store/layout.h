/* SPDX-License-Identifier: MIT */
/* Layout: the columns of each kind of chunk, and what of them is kept for minutes and hours. */
#pragma once

#include "model/interface.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order in which a tick is written. The numbers are in files. */
enum chunk_kind {
    CHUNK_FLOWS,
    CHUNK_INTERFACES,
    CHUNK_COUNTERS,
    CHUNK_STATES,
    CHUNK_LISTENERS,
    CHUNK_CONNECTIONS,
    CHUNK_KIND_MAX,
};

/*
 * The columns of each kind; in files, too: new ones are added at the end. The first ones are the
 * key, by which rows are sorted; its last one is the index of the tick, so that what belongs to one
 * thing stands together in time. process, endpoint, netns, interface and counter are ids of the
 * dictionaries.
 */
enum flows_column {
    FLOWS_PROCESS,
    FLOWS_ENDPOINT, /* 0: those that are not told apart */
    FLOWS_TICK,
    FLOWS_RX_BYTES,
    FLOWS_TX_BYTES,
    FLOWS_WIRE, /* from here on the members of struct wire */
    FLOWS_SOCKETS = FLOWS_WIRE + 4,
    FLOWS_COLUMNS,
};

enum interfaces_column {
    INTERFACES_ID,
    INTERFACES_TICK,
    INTERFACES_STATS, /* from here on the members of struct link_stats */
    INTERFACES_SPEED = INTERFACES_STATS + LINK_STATS,
    INTERFACES_COLUMNS,
};

enum counters_column { COUNTERS_ID, COUNTERS_TICK, COUNTERS_VALUE, COUNTERS_COLUMNS };

enum states_column {
    STATES_NETNS,
    STATES_PROTO,
    STATES_STATE,
    STATES_TICK,
    STATES_COUNT,
    STATES_COLUMNS
};

enum listeners_column {
    LISTENERS_PROCESS, /* 0: unknown */
    LISTENERS_ENDPOINT,
    LISTENERS_NETNS,
    LISTENERS_TICK,
    LISTENERS_WAITING, /* connections that are not accepted yet */
    LISTENERS_LIMIT,
    LISTENERS_SOCKETS,
    LISTENERS_COLUMNS,
};

enum connections_column {
    CONNECTIONS_PROCESS,
    CONNECTIONS_TICK,
    CONNECTIONS_BEFORE_NS, /* zigzag: how long before the time of the tick it happened */
    CONNECTIONS_WORDS, /* proto, kind, verdict, who ended it, direction, owner, family: a byte each
                        */
    CONNECTIONS_PEER_HIGH, /* address: the first eight bytes as a big-endian number */
    CONNECTIONS_PEER_LOW,
    CONNECTIONS_LOCAL_HIGH,
    CONNECTIONS_LOCAL_LOW,
    CONNECTIONS_PEER_PORT,
    CONNECTIONS_LOCAL_PORT,
    CONNECTIONS_HAS,
    CONNECTIONS_DURATION_NS,
    CONNECTIONS_RX_BYTES,
    CONNECTIONS_TX_BYTES,
    CONNECTIONS_PID,
    CONNECTIONS_HANDSHAKE_US,
    CONNECTIONS_RTT_US,
    CONNECTIONS_RETRANSMITS,
    CONNECTIONS_ERROR,
    CONNECTIONS_COLUMNS,
};

#define CHUNK_COLUMNS_MAX 32

#define KEYS_MAX 4
#define MEASURES_MAX 33

/* How the values of ticks become one. */
enum measure_op {
    MEASURE_SUM,
    MEASURE_LAST,
    MEASURE_MIN, /* of ticks in which there was something */
    MEASURE_MAX,
    MEASURE_MIN_RATE, /* the same, a second */
    MEASURE_MAX_RATE,
    MEASURE_TICKS, /* in which there was something */
};

/* A column of the tables of minutes and hours. */
struct measure {
    const char *name;
    uint8_t column; /* of the chunk */
    uint8_t op;     /* enum measure_op */
};

struct layout {
    const char *name;
    uint8_t width;
    uint8_t keys; /* the first columns; the last of them is the tick */
    uint8_t measure_count;
    uint8_t rate_count;          /* the last ones of them, which only people read */
    bool has_minutes, has_hours; /* tables NAME_minute, NAME_hour */
    const char *key_names[KEYS_MAX];
    const struct measure *measures;
};

extern const struct layout layouts[CHUNK_KIND_MAX];

/* How many columns say what a row is of, without the tick. */
static inline uint32_t key_count(enum chunk_kind kind)
{
    return layouts[kind].keys - 1u;
}

/* The columns of flows and interfaces that are added up, and the only other one behind them. */
static inline uint32_t first_sum(enum chunk_kind kind)
{
    return layouts[kind].keys;
}

static inline uint32_t level_column(enum chunk_kind kind)
{
    return layouts[kind].width - 1u;
}

/* The column that is the index of the tick. */
static inline uint32_t tick_column(enum chunk_kind kind)
{
    return layouts[kind].keys - 1u;
}
