/* SPDX-License-Identifier: MIT */
/* Asker: the process that answers questions of the API by running the commands of nwho, each in a
 * child that can do nothing but read the history and write its answer. */
#pragma once

#include "base/cleanup.h"

struct asker {
    int questions;     /* from the process that answers clients: its end is that of the asker */
    int recorder;      /* that gives snapshots of now */
    const char *store; /* file of the history */
    /* Runs a command line as main() would, and ends the process with its exit code. */
    void (*run)(int argc, char **argv);
};

/* Answers until the other side is gone. 0 or -errno; 1 in a child that could not begin, when there
 * is nothing more to do but to end. */
int asker_run(const struct asker *asker) MUST_CHECK;
