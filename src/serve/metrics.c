/* SPDX-License-Identifier: MIT */
/* Metrics: a tick taken in, and all families written. */
#include "serve/metrics.h"

#include "base/clock.h"
#include "derive/health/check.h"
#include "serve/metrics_parts.h"

#include <stdio.h>
#include <stdlib.h>

struct metrics *metrics_new(void)
{
    struct metrics *metrics = calloc(1, sizeof(*metrics));

    if (!metrics)
        return NULL;
    metrics->created_ns = clock_ns(CLOCK_REALTIME);
    metrics->groups.kind = &metrics_group_kind;
    metrics->interfaces.kind = &metrics_interface_kind;
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    names_done(&metrics->names);
    counter_set_done(&metrics->groups);
    counter_set_done(&metrics->interfaces);
    meters_done(&metrics->meters);
    map_done(&metrics->used_queues);
    map_done(&metrics->surplus_index);
    free(metrics->surplus);
    arena_done(&metrics->arena);
    free(metrics->queues);
    free(metrics);
}

static void take_sources(struct metrics *metrics, const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->sources_count; i++) {
        const struct source_used *used = &snapshot->sources[i];

        if (strcmp(snapshot_string(snapshot, used->fact, NULL), "owners") == 0)
            snprintf(metrics->owners, sizeof(metrics->owners), "%s",
                     snapshot_string(snapshot, used->source, NULL));
    }
    snprintf(metrics->accounting, sizeof(metrics->accounting), "%s",
             accounting_level_name(snapshot->accounting));
}

int metrics_take(struct metrics *metrics, const struct snapshot *snapshot,
                 const struct held_counts *held)
{
    int groups, machine;

    meters_tick(&metrics->meters);
    counter_set_tick(&metrics->groups, snapshot->boot_ns);
    counter_set_tick(&metrics->interfaces, snapshot->boot_ns);
    take_sources(metrics, snapshot);
    groups = metrics_take_groups(metrics, snapshot, held);
    machine = metrics_take_machine(metrics, snapshot);
    return groups < 0 ? groups : machine;
}

/* --- writing --- */

struct writing {
    const struct metrics *metrics;
    const struct metrics_recorder *recorder;
    enum metric_form form;
    struct buf *out;
};

static void put(const struct writing *writing, enum metric metric, const char *labels,
                uint64_t value)
{
    openmetrics_now(metric, labels, value, writing->out);
}

/* A family of one sample without labels. */
static void put_one(const struct writing *writing, enum metric metric, uint64_t value)
{
    openmetrics_family(metric, writing->form, writing->out);
    put(writing, metric, "", value);
}

static void put_build(const struct writing *writing)
{
    CLEANUP(buf_done) struct buf labels = BUF_INIT;
    const struct metrics *metrics = writing->metrics;

    openmetrics_label("version", NWHO_VERSION, strlen(NWHO_VERSION), &labels);
    openmetrics_label("accounting", metrics->accounting, strlen(metrics->accounting), &labels);
    openmetrics_label("join", metrics->owners, strlen(metrics->owners), &labels);
    openmetrics_family(METRIC_BUILD, writing->form, writing->out);
    put(writing, METRIC_BUILD, buf_string(&labels), 1);
}

static void put_parts(const struct writing *writing, enum metric metric)
{
    static const char *const names[METRICS_PART_MAX] = {
        "collector=\"snapshot\"", "collector=\"store\"", "collector=\"doctor\""};

    openmetrics_family(metric, writing->form, writing->out);
    for (unsigned int i = 0; i < METRICS_PART_MAX; i++)
        if (writing->recorder->parts[i].ran)
            put(writing, metric, names[i],
                metric == METRIC_COLLECTOR_SUCCESS ? writing->recorder->parts[i].success
                                                   : writing->recorder->parts[i].duration_ns);
}

static void put_states(const struct writing *writing)
{
    CLEANUP(buf_done) struct buf labels = BUF_INIT;

    openmetrics_family(METRIC_CONNECTIONS, writing->form, writing->out);
    for (unsigned int i = 0; i < PROTO_MAX * STATE_MAX; i++) {
        unsigned int proto = i / STATE_MAX, state = i % STATE_MAX;
        const char *proto_name = socket_proto_name(proto), *name = socket_state_name(state);

        if (!writing->metrics->state_seen[proto][state])
            continue;
        buf_reset(&labels);
        openmetrics_label("network_transport", proto_name, strlen(proto_name), &labels);
        openmetrics_state_label(name, strlen(name), &labels);
        put(writing, METRIC_CONNECTIONS, buf_string(&labels),
            writing->metrics->states[proto][state]);
    }
}

/* A queue in which nobody ever waited has a limit alone. */
static void put_queue_lengths(const struct writing *writing)
{
    const struct metrics *metrics = writing->metrics;

    openmetrics_family(METRIC_LISTEN_QUEUE_LENGTH, writing->form, writing->out);
    for (uint32_t i = 0; i < metrics->queue_count; i++)
        if (metrics->queues[i].used)
            put(writing, METRIC_LISTEN_QUEUE_LENGTH, metrics->queues[i].labels,
                metrics->queues[i].length);
}

static void put_queue_limits(const struct writing *writing)
{
    const struct metrics *metrics = writing->metrics;

    openmetrics_family(METRIC_LISTEN_QUEUE_LIMIT, writing->form, writing->out);
    for (uint32_t i = 0; i < metrics->queue_count; i++)
        put(writing, METRIC_LISTEN_QUEUE_LIMIT, metrics->queues[i].labels,
            metrics->queues[i].limit);
}

/* Every check and severity, so that what is over is 0 and not nothing. */
static void put_findings(const struct writing *writing)
{
    CLEANUP(buf_done) struct buf labels = BUF_INIT;

    openmetrics_family(METRIC_FINDING, writing->form, writing->out);
    if (!writing->recorder->findings)
        return;
    for (uint32_t check = 0; check < check_count; check++)
        for (uint32_t severity = SEVERITY_WARN; severity < SEVERITY_MAX; severity++) {
            const char *name = checks[check]->name, *word = severity_name(severity);

            buf_reset(&labels);
            openmetrics_label("check", name, strlen(name), &labels);
            openmetrics_label("severity", word, strlen(word), &labels);
            put(writing, METRIC_FINDING, buf_string(&labels),
                writing->recorder->findings[check].of[severity]);
        }
}

/* Nothing where nothing is tracked: 0 of 0 would be full. */
static void put_conntrack(const struct writing *writing)
{
    const struct metrics_recorder *recorder = writing->recorder;

    if (!recorder->conntrack_limit)
        return;
    put_one(writing, METRIC_CONNTRACK_ENTRIES, recorder->conntrack_entries);
    put_one(writing, METRIC_CONNTRACK_LIMIT, recorder->conntrack_limit);
}

static void put_series(const struct writing *writing, const struct counter_set *set,
                       enum metric metric)
{
    counter_set_write(set, metric, writing->form, writing->out);
}

void metrics_write(const struct metrics *metrics, const struct metrics_recorder *recorder,
                   enum metric_form form, struct buf *out)
{
    const struct writing writing = {
        .metrics = metrics, .recorder = recorder, .form = form, .out = out};

    put_build(&writing);
    put_one(&writing, METRIC_START, metrics->created_ns);
    put_parts(&writing, METRIC_COLLECTOR_DURATION);
    put_parts(&writing, METRIC_COLLECTOR_SUCCESS);
    for (unsigned int i = METRIC_INTERFACE_BYTES; i <= METRIC_INTERFACE_ERRORS; i++)
        put_series(&writing, &metrics->interfaces, i);
    put_states(&writing);
    openmetrics_family(METRIC_TCP_RTT, form, out);
    metrics_put_rtt(metrics, out);
    for (unsigned int i = METRIC_TCP_RETRANSMITTED; i <= METRIC_CONNTRACK_INSERT_FAILED; i++)
        put_one(&writing, i, metrics->totals[i]);
    put_conntrack(&writing);
    for (unsigned int i = METRIC_PROCESS_BYTES; i <= METRIC_PROCESS_RETRANSMITTED; i++)
        put_series(&writing, &metrics->groups, i);
    put_queue_lengths(&writing);
    put_queue_limits(&writing);
    put_one(&writing, METRIC_PROCESS_GROUPS, metrics->groups.shown);
    put_one(&writing, METRIC_PROCESS_GROUPS_FOLDED, metrics->groups.folded);
    put_findings(&writing);
    put_one(&writing, METRIC_HISTORY_BYTES, recorder->history_bytes);
    put_one(&writing, METRIC_HISTORY_DROPPED, recorder->dropped);
    put_one(&writing, METRIC_EVENTS_LOST, recorder->events_lost);
    if (form == METRIC_OPENMETRICS)
        openmetrics_end(out);
}
