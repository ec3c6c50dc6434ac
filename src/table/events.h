/* SPDX-License-Identifier: MIT */
/* Words in the table of events. */
#pragma once

#include "table/table.h"

extern const char *const event_kinds[EVENT_KIND_MAX];

/* All that a column may have, NULL where a number has no word; NULL: it has no fixed words. */
const char *const *event_words(const struct column *column, size_t *ret_count);
