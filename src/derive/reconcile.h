/* SPDX-License-Identifier: MIT */
/* Reconciliation: what the bytes of an interface are made of, so that nothing is hidden. Pure. */
#pragma once

#include "derive/rates.h"

/*
 * Fills the shares in ret_rates->interfaces, from the flows of `now` and from what interfaces and
 * counters say of the time since `before` (ret_rates->counters is there already). A flow belongs to
 * the interface that its socket names, else to the one that has its own address. Does nothing
 * without accounting. 0 or -ENOMEM.
 */
int reconcile(const struct snapshot *now, const struct snapshot *before, struct rates *rates)
    MUST_CHECK;
