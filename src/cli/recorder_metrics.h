/* SPDX-License-Identifier: MIT */
/* Metrics of the recorder: taken in each tick, and given to the process that answers when somebody
 * asks it. */
#pragma once

#include "model/request.h"
#include "serve/metrics.h"
#include "serve/question.h"

struct recorder_metrics;
struct serve;

/* Both are borrowed. NULL: there is no memory. */
struct recorder_metrics *recorder_metrics_new(struct serve *serve, const char *path,
                                              void (*say)(const char *line));
void recorder_metrics_free(struct recorder_metrics *metrics);

/* All these do nothing where `metrics` is NULL: nothing is served. */

/* Before a tick is read: counts the sockets of processes, which come into it, where that is due. It
 * takes at most a thousandth of the time. */
void recorder_metrics_count(struct recorder_metrics *metrics, struct snapshot *snapshot,
                            const struct request *request);

/* Events of the running tick that its snapshot, of which they have strings, has no room for. */
void recorder_metrics_take_surplus(struct recorder_metrics *metrics, const struct event *events,
                                   uint32_t count);

/* So many events were lost in all before they were taken. */
void recorder_metrics_set_lost(struct recorder_metrics *metrics, uint64_t count);

/* What was read in a tick. */
void recorder_metrics_take(struct recorder_metrics *metrics, const struct snapshot *snapshot);

/* A part of a tick that began at `began_ns` (CLOCK_MONOTONIC) and is over now. */
void recorder_metrics_part(struct recorder_metrics *metrics, enum metrics_part part,
                           uint64_t began_ns, bool success);

/* The end of a tick. `findings` as in struct metrics_recorder; they and what the doctor has to say
 * are borrowed until the next one. */
void recorder_metrics_end_tick(struct recorder_metrics *metrics,
                               const struct finding_counts *findings,
                               const struct buf documents[QUESTION_FORM_MAX]);

/* Readable when there may be something to do for recorder_metrics_go_on(); -1: there never is. */
int recorder_metrics_fd(const struct recorder_metrics *metrics);

/* Between ticks: gives what somebody asks for. */
void recorder_metrics_go_on(struct recorder_metrics *metrics);
