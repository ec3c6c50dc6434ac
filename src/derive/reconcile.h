/* SPDX-License-Identifier: MIT */
/* Reconciliation: what the bytes of an interface are made of, so that nothing is hidden. Pure. */
#pragma once

#include "derive/rates.h"

/*
 * Fills the shares in ret_rates->interfaces, from the flows of `now` and from what interfaces and
 * counters say of the time since `before` (rates->counters is there already). Does nothing without
 * accounting. `earlier`: the rates of `before`, or NULL. 0 or -ENOMEM.
 */
int reconcile(const struct snapshot *now, const struct snapshot *before,
              const struct rates *earlier, struct rates *rates) MUST_CHECK;

/* Whether the interface stands on others, which count its bytes as well: a sum leaves it out. */
bool reconcile_is_stacked(const struct snapshot *snapshot, const struct interface *interface);
