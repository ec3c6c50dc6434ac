/* SPDX-License-Identifier: MIT */
/* Metrics of the recorder: what it knows of itself, and the text of a tick. */
#include "cli/recorder_metrics.h"

#include "base/clock.h"
#include "collect/conntrack_usage.h"
#include "collect/held_counts.h"
#include "serve/serve.h"

#include <stdlib.h>
#include <sys/stat.h>

/* So many times as long as counting took is waited before it is done again. */
#define COUNT_REST 1000

struct recorder_metrics {
    struct serve *serve;
    const char *path; /* of the history */
    void (*say)(const char *line);
    struct metrics *metrics;
    struct metrics_recorder recorder;
    const struct buf *documents; /* of the doctor, for each enum question_form */
    bool is_news;                /* nobody was given the numbers of the last tick */
    bool is_gone;                /* the process that answers */
    struct held_counts held;     /* of this tick */
    bool counted;                /* it has them */
    uint64_t count_ns;           /* CLOCK_MONOTONIC from when on they are counted again */
};

struct recorder_metrics *recorder_metrics_new(struct serve *serve, const char *path,
                                              void (*say)(const char *line))
{
    struct recorder_metrics *metrics = calloc(1, sizeof(*metrics));

    if (!metrics)
        return NULL;
    metrics->serve = serve;
    metrics->path = path;
    metrics->say = say;
    metrics->metrics = metrics_new();
    if (!metrics->metrics) {
        free(metrics);
        return NULL;
    }
    return metrics;
}

void recorder_metrics_free(struct recorder_metrics *metrics)
{
    if (!metrics)
        return;
    metrics_free(metrics->metrics);
    free(metrics->held.items);
    free(metrics);
}

static void forget_counts(struct recorder_metrics *metrics)
{
    free(metrics->held.items);
    metrics->held = (struct held_counts){0};
    metrics->counted = false;
}

/* The first time loads a program: what that takes does not count. */
void recorder_metrics_count(struct recorder_metrics *metrics, struct snapshot *snapshot,
                            const struct request *request)
{
    uint64_t began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID), now_ns = clock_ns(CLOCK_MONOTONIC);

    if (!metrics || metrics->is_gone || now_ns < metrics->count_ns)
        return;
    forget_counts(metrics);
    metrics->counted = held_counts_read(snapshot, request, &metrics->held) == 0;
    if (metrics->count_ns || !metrics->counted)
        now_ns += COUNT_REST * (clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns);
    metrics->count_ns = now_ns;
}

void recorder_metrics_take_surplus(struct recorder_metrics *metrics, const struct event *events,
                                   uint32_t count)
{
    if (metrics)
        metrics_take_surplus(metrics->metrics, events, count);
}

void recorder_metrics_set_lost(struct recorder_metrics *metrics, uint64_t count)
{
    if (metrics)
        metrics->recorder.events_lost = count;
}

void recorder_metrics_take(struct recorder_metrics *metrics, const struct snapshot *snapshot)
{
    struct metrics_recorder *recorder;

    if (!metrics)
        return;
    recorder = &metrics->recorder;
    if (metrics_take(metrics->metrics, snapshot, metrics->counted ? &metrics->held : NULL) < 0)
        recorder->parts[METRICS_SNAPSHOT].success = false;
    forget_counts(metrics);
    if (conntrack_entries(&recorder->conntrack_entries) < 0 ||
        conntrack_entries_limit(&recorder->conntrack_limit) < 0)
        recorder->conntrack_limit = 0;
}

void recorder_metrics_part(struct recorder_metrics *metrics, enum metrics_part part,
                           uint64_t began_ns, bool success)
{
    if (!metrics)
        return;
    metrics->recorder.parts[part].ran = true;
    metrics->recorder.parts[part].duration_ns = clock_ns(CLOCK_MONOTONIC) - began_ns;
    metrics->recorder.parts[part].success = success;
    metrics->recorder.dropped += part == METRICS_STORE && !success;
}

static void lose_server(struct recorder_metrics *metrics)
{
    metrics->is_gone = true;
    metrics->say("the process that serves metrics has ended; recording goes on");
}

void recorder_metrics_end_tick(struct recorder_metrics *metrics,
                               const struct finding_counts *findings,
                               const struct buf documents[QUESTION_FORM_MAX])
{
    if (!metrics || metrics->is_gone)
        return;
    metrics->recorder.findings = findings;
    metrics->documents = documents;
    metrics->is_news = true;
    if (serve_outdate(metrics->serve) == -EPIPE)
        lose_server(metrics);
}

static void publish(struct recorder_metrics *metrics)
{
    struct buf bodies[EXPOSITION_BODIES] = {BUF_INIT, BUF_INIT};
    struct stat status;
    int r = 0;

    metrics->recorder.history_bytes =
        stat(metrics->path, &status) == 0 ? (uint64_t)status.st_size : 0;
    for (unsigned int form = 0; form < METRIC_FORM_MAX; form++) {
        metrics_write(metrics->metrics, &metrics->recorder, form, &bodies[form]);
        r = r < 0 ? r : bodies[form].error;
    }
    memcpy(&bodies[EXPOSITION_DOCTOR], metrics->documents,
           QUESTION_FORM_MAX * sizeof(*metrics->documents));
    if (r == 0)
        r = serve_publish(metrics->serve, bodies);
    if (r == -EPIPE)
        lose_server(metrics);
    for (unsigned int form = 0; form < METRIC_FORM_MAX; form++)
        buf_done(&bodies[form]);
}

int recorder_metrics_fd(const struct recorder_metrics *metrics)
{
    return metrics ? serve_numbers_fd(metrics->serve) : -1;
}

/* However often it is asked for: once a tick. */
void recorder_metrics_go_on(struct recorder_metrics *metrics)
{
    if (!serve_take_numbers_wish(metrics->serve) || !metrics->is_news || metrics->is_gone)
        return;
    metrics->is_news = false;
    publish(metrics);
}
