/* SPDX-License-Identifier: MIT */
/* A captured packet as filters and columns of processes see it. */
#pragma once

#include "table/table.h"

#define CAPTURED_PROCESSES_MAX 128

/* The one packet that there is a row of. */
struct captured_processes {
    const char *netns; /* where it was captured; NULL: unknown */
    uint32_t count;
    uint32_t processes[CAPTURED_PROCESSES_MAX]; /* at its ends: indexes into snapshot.processes */
};
