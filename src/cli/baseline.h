/* SPDX-License-Identifier: MIT */
/* The file of the baseline: where it is, how it is written and read. */
#pragma once

#include "base/buf.h"
#include "cli/config.h"
#include "model/snapshot.h"

#include <limits.h>

struct baseline_file {
    char path[PATH_MAX];
    bool usual; /* nobody named it */
};

/*
 * `named` (may be NULL), else what the configuration says, else that of the machine for root and
 * that of the user for others. 0, or -ENOENT: there is no place for one.
 */
int baseline_find(const char *named, const struct config *config, struct baseline_file *ret_file)
    MUST_CHECK;

/* Writes the text; the directory of the usual file is made. 0 or EXIT_ERROR. */
int baseline_write(const struct baseline_file *file, const struct buf *text) MUST_CHECK;

/* 0; -ENOENT: it was never saved; else -errno with one line in `error`. */
int baseline_load(const struct baseline_file *file, struct snapshot *ret_baseline,
                  struct buf *error) MUST_CHECK;
