/* SPDX-License-Identifier: MIT */
/* Following events: what `nwho events` and `nwho nat --events` share. */
#pragma once

#include "cli/session.h"
#include "collect/events.h"

/*
 * Plans the query, whose filter and columns are made, and writes a row for each event until it is
 * interrupted, or as the options say. Returns the exit code.
 */
int events_follow(struct session *session, struct query *query, enum event_subject subject)
    MUST_CHECK;
