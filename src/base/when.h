/* SPDX-License-Identifier: MIT */
/* Moments as people write them, in the local time zone. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

/*
 * Reads a moment, in nanoseconds of CLOCK_REALTIME, as seen at `now_ns`.
 *   "now"                                     and as units_parse() reads seconds:
 *   "-2h" "2h30m ago" "90 min ago" "-90"
 *   "03:00" "3:15:30" "2pm" "2:30 pm"         the last such time before now; with `after_ns` (not
 *                                             0) the first one after that
 *   "today" "yesterday" "mon" "friday"        when that day began, the last one of its name
 *   "2026-11-20"                              the same
 *   "yesterday 2pm" "mon 09:00" "2026-11-20 03:00:15.5" "2026-11-20T03:00"
 *   "2026-11-20T03:00:00Z" "2026-11-20 03:00+01:00"
 *   "@1763600000" "1763600000.5"              seconds since 1970 (without the @ nine digits or
 * more) 0; -EINVAL when it is none of these; -ERANGE before 1970 and where no such day exists.
 */
int when_parse(const char *text, uint64_t now_ns, uint64_t after_ns, uint64_t *ret_ns) MUST_CHECK;
