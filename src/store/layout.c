/* SPDX-License-Identifier: MIT */
/* Layout: what is in chunks, and in the tables of minutes and hours. */
#include "store/layout.h"

#include "base/cleanup.h"

#include <stddef.h>

static const struct measure flows[] = {
    {"rx_bytes", FLOWS_RX_BYTES, MEASURE_SUM},
    {"tx_bytes", FLOWS_TX_BYTES, MEASURE_SUM},
    {"wire_rx_bytes", FLOWS_WIRE, MEASURE_SUM},
    {"wire_tx_bytes", FLOWS_WIRE + 1, MEASURE_SUM},
    {"wire_rx_packets", FLOWS_WIRE + 2, MEASURE_SUM},
    {"wire_tx_packets", FLOWS_WIRE + 3, MEASURE_SUM},
    {"sockets", FLOWS_SOCKETS, MEASURE_MAX},
    {"ticks", FLOWS_TICK, MEASURE_TICKS},
    {"rx_min", FLOWS_RX_BYTES, MEASURE_MIN_RATE},
    {"rx_max", FLOWS_RX_BYTES, MEASURE_MAX_RATE},
    {"tx_min", FLOWS_TX_BYTES, MEASURE_MIN_RATE},
    {"tx_max", FLOWS_TX_BYTES, MEASURE_MAX_RATE},
};

#define STAT(member)                                                                               \
    {                                                                                              \
#member, INTERFACES_STATS + offsetof(struct link_stats, member) / sizeof(uint64_t),        \
            MEASURE_SUM                                                                            \
    }

static const struct measure interfaces[] = {
    STAT(rx_packets),
    STAT(tx_packets),
    STAT(rx_bytes),
    STAT(tx_bytes),
    STAT(rx_errors),
    STAT(tx_errors),
    STAT(rx_dropped),
    STAT(tx_dropped),
    STAT(multicast),
    STAT(collisions),
    STAT(rx_length_errors),
    STAT(rx_over_errors),
    STAT(rx_crc_errors),
    STAT(rx_frame_errors),
    STAT(rx_fifo_errors),
    STAT(rx_missed_errors),
    STAT(tx_aborted_errors),
    STAT(tx_carrier_errors),
    STAT(tx_fifo_errors),
    STAT(tx_heartbeat_errors),
    STAT(tx_window_errors),
    STAT(rx_compressed),
    STAT(tx_compressed),
    STAT(rx_nohandler),
    STAT(rx_otherhost_dropped),
    {"speed_mbit", INTERFACES_SPEED, MEASURE_LAST},
    {"ticks", INTERFACES_TICK, MEASURE_TICKS},
    {"rx_min", INTERFACES_STATS + 2, MEASURE_MIN_RATE},
    {"rx_max", INTERFACES_STATS + 2, MEASURE_MAX_RATE},
    {"tx_min", INTERFACES_STATS + 3, MEASURE_MIN_RATE},
    {"tx_max", INTERFACES_STATS + 3, MEASURE_MAX_RATE},
};

static const struct measure counters[] = {
    {"sum", COUNTERS_VALUE, MEASURE_SUM},
    {"last", COUNTERS_VALUE, MEASURE_LAST},
    {"min", COUNTERS_VALUE, MEASURE_MIN},
    {"max", COUNTERS_VALUE, MEASURE_MAX},
};

static const struct measure states[] = {
    {"sum", STATES_COUNT, MEASURE_SUM},   {"ticks", STATES_TICK, MEASURE_TICKS},
    {"last", STATES_COUNT, MEASURE_LAST}, {"min", STATES_COUNT, MEASURE_MIN},
    {"max", STATES_COUNT, MEASURE_MAX},
};

static const struct measure listeners[] = {
    {"waiting", LISTENERS_WAITING, MEASURE_MAX},
    {"queue_limit", LISTENERS_LIMIT, MEASURE_LAST},
    {"sockets", LISTENERS_SOCKETS, MEASURE_LAST},
    {"ticks", LISTENERS_TICK, MEASURE_TICKS},
};

#define MEASURES(array) .measures = (array), .measure_count = ARRAY_SIZE(array)

const struct layout layouts[CHUNK_KIND_MAX] = {
    [CHUNK_FLOWS] = {"flow", FLOWS_COLUMNS, FLOWS_TICK + 1, .has_minutes = true, .has_hours = true,
                     .key_names = {"process", "endpoint"}, MEASURES(flows), .rate_count = 4},
    [CHUNK_INTERFACES] = {"interface", INTERFACES_COLUMNS, INTERFACES_TICK + 1, .has_minutes = true,
                          .has_hours = true, .key_names = {"interface"}, MEASURES(interfaces),
                          .rate_count = 4},
    [CHUNK_COUNTERS] = {"counter", COUNTERS_COLUMNS, COUNTERS_TICK + 1, .has_minutes = true,
                        .has_hours = true, .key_names = {"counter"}, MEASURES(counters)},
    [CHUNK_STATES] = {"state", STATES_COLUMNS, STATES_TICK + 1, .has_minutes = true,
                      .has_hours = true, .key_names = {"netns", "proto", "state"},
                      MEASURES(states)},
    [CHUNK_LISTENERS] = {"listener", LISTENERS_COLUMNS, LISTENERS_TICK + 1, .has_hours = true,
                         .key_names = {"process", "endpoint", "netns"}, MEASURES(listeners)},
    [CHUNK_CONNECTIONS] = {"connection", CONNECTIONS_COLUMNS, CONNECTIONS_TICK + 1,
                           .measures = NULL},
};
