/* SPDX-License-Identifier: MIT */
/* Accounting: counts traffic from when it is opened until it is closed, by the best source there
 * is.
 */
#pragma once

#include "base/cleanup.h"
#include "model/request.h"

#include <stdint.h>

struct accounting;
struct collection;

/*
 * Starts to count. The first source of the ladder that works is taken: BPF, differences of
 * tcp_info, interfaces alone; why the better ones are not is told as notes by each reading. Nothing
 * stays in the kernel when the process ends, however it does. 0 or -ENOMEM.
 */
int accounting_open(const struct request *request, struct accounting **ret_accounting) MUST_CHECK;
void accounting_close(struct accounting *accounting);

/*
 * What it waits for: readable when something is to be taken in before the next reading (the
 * kernel's buffers are bounded). Then accounting_drain() is to be called. -1: nothing ever.
 */
int accounting_fd(const struct accounting *accounting);
int accounting_drain(struct accounting *accounting) MUST_CHECK;

/* Brings the flows into the snapshot; for the collector. 0 or -ENOMEM. */
int accounting_read(struct accounting *accounting, struct collection *collection) MUST_CHECK;
