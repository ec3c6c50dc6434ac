/* SPDX-License-Identifier: MIT */
/* The part of rates_make() that is about counters. */
#pragma once

#include "derive/rates.h"

/* Fills ret_rates->counters. 0 or -ENOMEM. */
int rates_of_counters(const struct snapshot *now, const struct snapshot *before,
                      struct rates *ret_rates) MUST_CHECK;
