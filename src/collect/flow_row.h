/* SPDX-License-Identifier: MIT */
/* Flow row: an entry of the flow table as a flow of a snapshot. */
#pragma once

#include "collect/flow_entries.h"

/* What all flows of a table have windows of; all is borrowed from it. */
struct flow_windows {
    const struct flow_entries *entries;
    const struct bin_clock *seconds, *tens; /* not looked at where the entries have no history */
    struct bin_window of[FLOW_WINDOW_MAX];
};

/* Adds a flow to the snapshot. 0 or -ENOMEM. */
int flow_row_write(const struct flow_windows *windows, const struct flow_entry *entry,
                   struct snapshot *snapshot) MUST_CHECK;
