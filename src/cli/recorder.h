/* SPDX-License-Identifier: MIT */
/* The recorder of `nwho serve`: reads the machine again and again, and keeps what it reads. */
#pragma once

#include "base/cleanup.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct recorder;
struct recorder_metrics;
struct recorder_present;
struct store;

/*
 * Begins to count traffic and to follow connections, and with `with_seconds` also what happens from
 * one second to the next. The store is borrowed. `path`: its file. `say` is told what happens to
 * the recording. 0, or EXIT_ERROR after one line on stderr.
 */
int recorder_open(struct store *store, const char *path, uint64_t every_ms, bool with_seconds,
                  void (*say)(const char *line), struct recorder **ret_recorder) MUST_CHECK;
void recorder_close(struct recorder *recorder);

/* What it measures is served, and what there is now by a process beside it; borrowed. NULL: it is
 * not. */
void recorder_set_served(struct recorder *recorder, struct recorder_metrics *metrics,
                         struct recorder_present *present);

/*
 * Records at each multiple of `every_ms` of the day until a signal of `unblocked` comes, and once
 * more then. A tick that cannot be written is said, and recording goes on. 0, or why it cannot.
 */
int recorder_run(struct recorder *recorder, const sigset_t *unblocked) MUST_CHECK;
