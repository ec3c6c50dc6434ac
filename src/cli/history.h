/* SPDX-License-Identifier: MIT */
/* The history: which time is meant, and where what was recorded is. */
#pragma once

#include "base/cleanup.h"
#include "cli/options.h"
#include "store/store.h"

#include <limits.h>

/* Where the history is: --store, else that of the machine, else that of the user, who may read
 * the first. False: nowhere. */
bool history_path(const struct options *options, bool writes, char path[static PATH_MAX]);

/* What --since, --until, --at (ten seconds from then on) and --every say. 0, or EXIT_ERROR after
 * one line on stderr. */
int history_times(const struct options *options, struct store_question *question) MUST_CHECK;

/* One moment of the past; with `after_ns` (not 0) the first such time after that. 0, or -EINVAL
 * with one line in `problem`, at the beginning of which stands `option`. */
int history_time(const char *option, const char *text, uint64_t after_ns, uint64_t *ret_ns,
                 struct buf *problem) MUST_CHECK;

/* The history to be read, or for store_note() only. 0, or EXIT_ERROR after one line on stderr. */
int history_open(const struct options *options, struct store **ret_store) MUST_CHECK;
int history_open_to_note(const struct options *options, struct store **ret_store) MUST_CHECK;

/* What was recorded in the time that the options name: enum store_part. Into a snapshot that is
 * made here. 0, or EXIT_ERROR after one line on stderr. */
int history_read(const struct options *options, unsigned int parts, struct snapshot *ret_snapshot)
    MUST_CHECK;

/* "fine", "minute", "hour". */
const char *history_tier_name(enum store_tier tier);
