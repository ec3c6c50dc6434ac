/* SPDX-License-Identifier: MIT */
/* Parts of the metrics, for serve/metrics*.c. */
#pragma once

#include "base/arena.h"
#include "derive/names.h"
#include "serve/counter_set.h"
#include "serve/meters.h"
#include "serve/metrics.h"

/* A place where processes listen, or several with the same labels: the fullest of their queues. */
struct listen_queue {
    const char *labels;
    uint32_t length, limit;
    bool used; /* somebody waited in it, now or before */
};

/* How many were at most so long, each bucket with those before it; the last one has all. */
#define RTT_BUCKETS 8
struct rtt_histogram {
    uint64_t buckets[RTT_BUCKETS];
    uint64_t sum_ns;
};

/* What counts of events of connections. */
struct event_tally {
    uint64_t opened, accepted;
    uint64_t rtt_sum_ns, rtt_count; /* of those that ended */
    uint64_t retransmitted;
};

/* Events of one process that no snapshot had room for. */
struct surplus {
    struct event example; /* for its owner; strings are those of the running tick's snapshot */
    struct event_tally tally;
};

struct metrics {
    uint64_t created_ns; /* CLOCK_REALTIME */
    struct names names;
    struct counter_set groups;     /* processes of one program, user and service */
    struct counter_set interfaces; /* by name and namespace */
    struct meters meters;
    struct map used_queues;      /* hashes of the labels of those in which somebody waited */
    struct rtt_histogram rtt;    /* of connections that ended */
    uint64_t totals[METRIC_MAX]; /* of counters without labels */
    /* the running tick */
    struct surplus *surplus;
    uint32_t surplus_count, surplus_capacity;
    int surplus_error;        /* -ENOMEM: some did not count */
    struct map surplus_index; /* by the hash of its process */
    /* the last tick */
    struct arena arena;
    struct listen_queue *queues;
    uint32_t queue_count, queue_capacity;
    uint32_t states[PROTO_MAX][STATE_MAX];
    bool state_seen[PROTO_MAX][STATE_MAX]; /* ever */
    char accounting[32], owners[64];       /* how traffic was counted, and owners were found */
};

/* Of a tick: who sent and received, opened and listens, and holds sockets (NULL: as before). 0 or
 * -ENOMEM. */
int metrics_take_groups(struct metrics *metrics, const struct snapshot *snapshot,
                        const struct held_counts *held) MUST_CHECK;
extern const struct counter_set_kind metrics_group_kind;

/* Of a tick: interfaces, counters and states. 0 or -ENOMEM. */
int metrics_take_machine(struct metrics *metrics, const struct snapshot *snapshot) MUST_CHECK;
extern const struct counter_set_kind metrics_interface_kind;

/* The end of a connection. */
void metrics_take_rtt(struct metrics *metrics, uint64_t rtt_ns);
/* The samples of the histogram. */
void metrics_put_rtt(const struct metrics *metrics, struct buf *out);
