/* SPDX-License-Identifier: MIT */
/* Collecting: runs the sources that a request needs, in the order of their array, and fills a
 * snapshot. */
#pragma once

#include "model/request.h"
#include "model/snapshot.h"

/*
 * Fills an initialised snapshot. 0, or -errno only when nothing at all could be done (no memory). A
 * source that fails leaves a note and, where there is one, its fallback runs.
 */
int collect(struct snapshot *snapshot, const struct request *request) MUST_CHECK;

/* Which machine a snapshot is of, and which moment. 0 or -ENOMEM. */
int collect_moment(struct snapshot *snapshot) MUST_CHECK;
