/* SPDX-License-Identifier: MIT */
/* Commands that are run on finished files, beside the capture. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>
#include <sys/types.h>

struct commands {
    pid_t *running; /* owned */
    uint32_t count, capacity;
    int error; /* why the last one could not be run, 0: it could */
};

/* Begins `program path`, of least priority, without a shell. */
void commands_begin(struct commands *commands, const char *program, const char *path);

/* Those that run go on. */
void commands_done(struct commands *commands);
