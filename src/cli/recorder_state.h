/* SPDX-License-Identifier: MIT */
/* nwho serve --status and --stop: the recorder that runs. */
#pragma once

#include <stdbool.h>

/* Who records into the file since when, and what it has. An exit code: nobody is EXIT_NOTHING. */
int recorder_status(const char *path, bool json);

/* Ends the recorder of the file and waits until it is gone. The same. */
int recorder_stop(const char *path);
