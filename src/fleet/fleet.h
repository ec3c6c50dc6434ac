/* SPDX-License-Identifier: MIT */
/* Fleet: asks a server that speaks the API of Prometheus (VictoriaMetrics, Thanos, Mimir) what it
 * has of the hosts that nwho serve measures. */
#pragma once

#include "base/buf.h"
#include "model/fleet.h"
#include "model/snapshot.h"

struct fleet_server {
    const char *url;   /* "http://host:9090", also with a path in front of /api */
    const char *token; /* NULL: none */
    uint64_t timeout_ms;
};

enum fleet_subject {
    FLEET_TOP,
    FLEET_PORTS,
    FLEET_DOCTOR,
    FLEET_HISTORY,
};

enum fleet_by {
    FLEET_BY_HOST,
    FLEET_BY_PROCESS,
    FLEET_BY_SERVICE,
};

struct fleet_question {
    enum fleet_subject subject;
    enum fleet_by by;            /* of top and history */
    uint64_t window_ns;          /* of top: rates are of the last so long */
    uint64_t since_ns, until_ns; /* of the history, CLOCK_REALTIME */
    uint64_t every_ns;           /* of the history: rows for each so long; 0: for all of it */
};

/*
 * Adds rows, and what is missing to the notes of the snapshot: hosts that the server has no numbers
 * of now, answers that it calls partial, or a question in the middle that it did not answer. 0, or
 * -errno with one line in `problem`: nothing was answered.
 */
int fleet_ask(const struct fleet_server *server, const struct fleet_question *question,
              struct snapshot *snapshot, struct fleet *ret_fleet, struct buf *problem) MUST_CHECK;

/* Whether servers can be asked at all. 0; or -errno, and what is missing in one line. */
int fleet_works(struct buf *problem) MUST_CHECK;

void fleet_done(struct fleet *fleet);
