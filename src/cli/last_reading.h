/* SPDX-License-Identifier: MIT */
/* The last reading of the recorder's doctor: a file beside the history, with which `nwho doctor`
 * compares what there is now. */
#pragma once

#include "cli/options.h"
#include "model/snapshot.h"

#include <limits.h>

/* The file of a store, which exists. False: it has none. */
bool last_reading_path(const char *store, char path[static PATH_MAX]);

/*
 * Appears whole in the place of the one before, for those who may read the history. 0 or -errno.
 */
int last_reading_write(const char *path, const struct snapshot *snapshot) MUST_CHECK;

/*
 * That of the history which the options mean, when a window may begin with it: it is of this boot,
 * recent, and by somebody who saw as much as this process does. False: there is none; where the
 * file is broken, after a line on stderr. The snapshot is made here.
 */
bool last_reading_find(const struct options *options, struct snapshot *ret_snapshot);
