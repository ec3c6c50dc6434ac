/* SPDX-License-Identifier: MIT */
/* The doctor of the recorder: looks again and again, and notes what it finds in the history. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

struct finding_counts;
struct programs;
struct recorder_health;
struct store;

/*
 * The store, whose file is `path`, and the programs are borrowed. Where the configuration or the
 * baseline is wrong nothing is examined; `say` is told, and the history has a note: the rest does
 * not depend on it. 0, or EXIT_ERROR after one line on stderr.
 */
int recorder_health_open(struct store *store, const char *path, struct programs *programs,
                         void (*say)(const char *line), struct recorder_health **ret_health)
    MUST_CHECK;
void recorder_health_close(struct recorder_health *health);

/*
 * Once a tick. Reads what a glance of the doctor needs, and more only where that makes it suspect
 * something; compares it with the look before, and keeps it for `nwho doctor`. 0, or why a note
 * could not be written: it is tried again after the next look.
 */
int recorder_health_look(struct recorder_health *health) MUST_CHECK;

/* CLOCK_BOOTTIME of the last look; 0: there was none. */
uint64_t recorder_health_looked(const struct recorder_health *health);

/* What `nwho doctor` says of the last look, in each form; empty before there was one. */
const struct buf *recorder_health_documents(const struct recorder_health *health);

/* What it found, for each of checks[]; NULL: nothing was examined yet. */
const struct finding_counts *recorder_health_counts(const struct recorder_health *health);
