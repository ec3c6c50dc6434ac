/* SPDX-License-Identifier: MIT */
/* Words and getters of the table of events, which others share. */
#pragma once

#include "table/table.h"

extern const char *const event_kinds[EVENT_KIND_MAX];
extern const char *const tracked_kinds[TRACKED_KIND_MAX];

/* What `fixed_words` of these tables is (table/table.h). */
const char *const *event_words(const struct column *column, size_t *ret_count);

column_get_fn event_kind, event_verdict, event_ended_by, event_direction, event_owner_source,
    event_clock, event_date, event_time, event_pid, event_process, event_ppid, event_parent,
    event_uid, event_user, event_unit, event_container, event_cgroup, event_netns, event_cookie;

/* Appends "curl(123)", "nginx(123) listener" or "(kernel)" to scratch. False: nothing is known. */
bool event_put_owner(const struct view *view, uint32_t row);
