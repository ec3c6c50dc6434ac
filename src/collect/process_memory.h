/* SPDX-License-Identifier: MIT */
/* Process memory: what processes with traffic are, and how their cgroups are called, between
 * readings and for a while after their end. */
#pragma once

#include "base/cleanup.h"
#include "model/snapshot.h"

struct process_memory;

struct process_memory *process_memory_new(void);
void process_memory_free(struct process_memory *memory);

/*
 * Before the facts about processes are read: gives the processes that flows are linked to the facts
 * kept, so that they need not be read again (but for a part of them each time, as a process may
 * have become another program), and marks those that have ended PROCESS_GONE. 0 or -ENOMEM.
 */
int process_memory_recall(struct process_memory *memory, struct snapshot *snapshot) MUST_CHECK;

/* Afterwards: keeps the facts of these processes, and forgets what no flow refers to. 0, -ENOMEM.
 */
int process_memory_keep(struct process_memory *memory, struct snapshot *snapshot) MUST_CHECK;
