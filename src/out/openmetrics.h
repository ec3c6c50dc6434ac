/* SPDX-License-Identifier: MIT */
/* Metrics: the families that nwho has, and their text, as OpenMetrics 1.0.0 or in the older text
 * format 0.0.4 of Prometheus. */
#pragma once

#include "base/buf.h"

/* Names and labels follow the semantic conventions of OpenTelemetry, with `nwho_` in front. */
enum metric {
    METRIC_BUILD,
    METRIC_START,
    METRIC_COLLECTOR_DURATION,
    METRIC_COLLECTOR_SUCCESS,
    METRIC_INTERFACE_BYTES,
    METRIC_INTERFACE_PACKETS,
    METRIC_INTERFACE_DROPPED,
    METRIC_INTERFACE_ERRORS,
    METRIC_CONNECTIONS,
    METRIC_TCP_RTT,
    METRIC_TCP_RETRANSMITTED,
    METRIC_TCP_LISTEN_OVERFLOWS,
    METRIC_TCP_RESETS_SENT,
    METRIC_CONNTRACK_INSERT_FAILED,
    METRIC_CONNTRACK_ENTRIES,
    METRIC_CONNTRACK_LIMIT,
    METRIC_PROCESS_BYTES,
    METRIC_PROCESS_CONNECTIONS,
    METRIC_PROCESS_OPENED,
    METRIC_PROCESS_RTT,
    METRIC_PROCESS_RETRANSMITTED,
    METRIC_LISTEN_QUEUE_LENGTH,
    METRIC_LISTEN_QUEUE_LIMIT,
    METRIC_PROCESS_GROUPS,
    METRIC_PROCESS_GROUPS_FOLDED,
    METRIC_FINDING,
    METRIC_HISTORY_BYTES,
    METRIC_HISTORY_DROPPED,
    METRIC_EVENTS_LOST,
    METRIC_MAX,
};

enum metric_type {
    METRIC_COUNTER, /* only grows */
    METRIC_GAUGE,
    METRIC_INFO,      /* always 1: its labels are what it says */
    METRIC_SUMMARY,   /* how many were measured, and their sum */
    METRIC_HISTOGRAM, /* and how many of them were at most so much */
};

struct metric_family {
    const char *name; /* without _total or _info */
    const char *unit; /* the end of the name; NULL: it is only counted */
    const char *help;
    enum metric_type type;
};

extern const struct metric_family metric_families[METRIC_MAX];

/* The metric that a counter of the kernel is, by the name that nwho shows; METRIC_MAX: none. */
enum metric metric_of_counter(const char *name, size_t length);

enum metric_form {
    METRIC_TEXT, /* 0.0.4: every scraper reads it */
    METRIC_OPENMETRICS,
    METRIC_FORM_MAX,
};

/* The lines in front of the samples of a family, all of which stand together. */
void openmetrics_family(enum metric metric, enum metric_form form, struct buf *out);

/* Appends a label to what will stand in braces. Its value, bytes of others, is at most
 * OPENMETRICS_LABEL_MAX of them; what is no UTF-8 and what is not printed is \xNN, as in JSON. */
#define OPENMETRICS_LABEL_MAX 128
void openmetrics_label(const char *name, const char *bytes, size_t length, struct buf *labels);

/* The label of a state of sockets, by the word that nwho has for it elsewhere ("syn-recv"). */
void openmetrics_state_label(const char *state, size_t length, struct buf *labels);

/* One sample of the past; without labels where `labels` is empty. Those of one series stand
 * together, in the order of time. */
void openmetrics_sample(enum metric metric, const char *labels, uint64_t value, uint64_t time_ns,
                        struct buf *out);

/* One sample of now: of a family in seconds the value is ns. There are no lines of _created, which
 * a server keeps as series of their own: METRIC_START says when all of them began. */
void openmetrics_now(enum metric metric, const char *labels, uint64_t value, struct buf *out);

/* What a summary or a histogram has of a thing. */
enum metric_part {
    METRIC_WHOLE, /* all others: their only sample */
    METRIC_BUCKET,
    METRIC_SUM,
    METRIC_COUNT,
};

/* The same of a part, which stand together in this order. The label `le` of a bucket comes last. */
void openmetrics_part(enum metric metric, enum metric_part part, const char *labels, uint64_t value,
                      struct buf *out);

/* The last line of OpenMetrics. */
void openmetrics_end(struct buf *out);
