/* SPDX-License-Identifier: MIT */
/* Fleet: what a server that scrapes many hosts says of them. */
#pragma once

#include <stdint.h>

/* What of a row is known, beside its names. */
enum fleet_value {
    FLEET_RECEIVED, /* bytes a second; in the history bytes */
    FLEET_SENT,
    FLEET_ESTABLISHED, /* connections that are held */
    FLEET_CLOSE_WAIT,
    FLEET_WAITING, /* connections that are not accepted yet */
    FLEET_BACKLOG, /* how many may be */
    FLEET_FINDINGS,
    FLEET_VALUE_MAX,
};

struct fleet_row {
    uint64_t values[FLEET_VALUE_MAX];
    uint64_t until_ns; /* of the history: CLOCK_REALTIME of the end of its time; 0: elsewhere */
    uint32_t has;      /* bits of enum fleet_value */
    uint32_t host;     /* strings of the snapshot; 0: unknown, or not asked for */
    uint32_t process, user, service, check, severity;
    uint16_t port;
};

/* Owned by whoever asked: fleet_done(). */
struct fleet {
    struct fleet_row *rows;
    uint32_t count, capacity;
};
