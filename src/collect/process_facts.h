/* SPDX-License-Identifier: MIT */
/* Facts of single processes, for who keeps them longer than one reading of the machine. */
#pragma once

#include "model/snapshot.h"

/*
 * Reads from /proc/PID what `needs` (enum need) asks for and is not known yet. What cannot be read
 * stays unknown. 0 or -ENOMEM.
 */
int process_read_facts(struct snapshot *snapshot, uint32_t index, uint64_t needs) MUST_CHECK;

/* Gives the snapshot the path of this id of cgroup2, "" when it has none; the same result. */
int cgroup_read_path(struct snapshot *snapshot, uint64_t id) MUST_CHECK;
