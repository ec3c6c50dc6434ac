/* SPDX-License-Identifier: MIT */
/* Groups of tracked connections: `nwho nat --by`. */
#pragma once

#include "table/group.h"

/* "process", "state,peer/24": as group_plan() of table_nat, with sums and the share of the limit.
 */
int nat_group_plan(const char *words, struct group_plan *ret_plan, struct buf *error) MUST_CHECK;
