/* SPDX-License-Identifier: MIT */
/* OpenMetrics: the families that nwho has, and their text (OpenMetrics 1.0.0). */
#pragma once

#include "base/buf.h"

/* Names and labels follow the semantic conventions of OpenTelemetry, with `nwho_` in front. */
enum metric {
    METRIC_INTERFACE_BYTES,
    METRIC_INTERFACE_PACKETS,
    METRIC_INTERFACE_DROPPED,
    METRIC_INTERFACE_ERRORS,
    METRIC_CONNECTIONS,
    METRIC_TCP_RETRANSMITTED,
    METRIC_TCP_LISTEN_OVERFLOWS,
    METRIC_TCP_RESETS_SENT,
    METRIC_CONNTRACK_INSERT_FAILED,
    METRIC_PROCESS_BYTES,
    METRIC_MAX,
};

struct metric_family {
    const char *name; /* without _total */
    const char *unit; /* the end of the name; NULL: it is only counted */
    const char *help;
    bool gauge; /* else it only grows */
};

extern const struct metric_family metric_families[METRIC_MAX];

/* The lines in front of the samples of a family, all of which stand together. */
void openmetrics_family(enum metric metric, struct buf *out);

/* Appends a label to what will stand in braces. Its value, bytes of others, is at most
 * OPENMETRICS_LABEL_MAX of them; what is no UTF-8 and what is not printed is \xNN, as in JSON. */
#define OPENMETRICS_LABEL_MAX 128
void openmetrics_label(const char *name, const char *bytes, size_t length, struct buf *labels);

/* One sample; without labels where `labels` is empty. Those of one series stand together, in the
 * order of time. */
void openmetrics_sample(enum metric metric, const char *labels, uint64_t value, uint64_t time_ns,
                        struct buf *out);

/* The last line. */
void openmetrics_end(struct buf *out);
