/* SPDX-License-Identifier: MIT */
/* Accounting: counts traffic from when it is opened until it is closed, by the best source there
 * is.
 */
#pragma once

#include "base/cleanup.h"
#include "model/flow.h"
#include "model/request.h"

#include <stdint.h>

struct accounting;
struct collection;
struct seconds;

/*
 * Starts to count. The first source of the ladder that works is taken: BPF, differences of
 * tcp_info, interfaces alone; why the better ones are not is told as notes by each reading. Nothing
 * stays in the kernel when the process ends, however it does. 0 or -ENOMEM.
 */
int accounting_open(const struct request *request, struct accounting **ret_accounting) MUST_CHECK;
void accounting_close(struct accounting *accounting);

/* What was counted so far does not count: totals and windows begin now. 0 or -ENOMEM. */
int accounting_begin(struct accounting *accounting) MUST_CHECK;

/* What it can count now. */
enum accounting_level accounting_level(const struct accounting *accounting);

/*
 * Readable when something is to be taken in before the next reading, as the kernel's buffers are
 * bounded: then accounting_drain() is to be called. The descriptor
 * stays the same. -1: there is none.
 */
int accounting_fd(const struct accounting *accounting);
int accounting_drain(struct accounting *accounting) MUST_CHECK;

/*
 * What was counted since the last time or reading, as one second of `seconds`; it is part of the
 * next reading. 0, or -ENOMEM. Nothing is added where that cannot be known cheaply.
 */
int accounting_count(struct accounting *accounting, struct seconds *seconds) MUST_CHECK;

/* What the collectors have to bring for it besides (enum need). */
uint64_t accounting_needs(const struct accounting *accounting);

/* Of the collectors. Brings the flows into the snapshot, linked to processes. 0 or -ENOMEM. */
int accounting_read(struct accounting *accounting, struct collection *collection) MUST_CHECK;

/* When the facts about processes and addresses have been read. 0 or -ENOMEM. */
int accounting_finish(struct accounting *accounting, struct collection *collection) MUST_CHECK;
