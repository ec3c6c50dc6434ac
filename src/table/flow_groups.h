/* SPDX-License-Identifier: MIT */
/* Groups of flows: what `nwho top` shows a row of, and what it adds up. */
#pragma once

#include "table/group.h"

/* The word of --by with this number, and what a row is then. False behind the last one. */
bool flow_grouping(uint32_t index, const char **ret_word, const char **ret_help);

/* Whether all words of a list like that below are known. */
bool flow_grouping_exists(const char *words);

/*
 * "process", "user,port", "peer/24": what the flows (rows of table_flows) are grouped by. The table
 * of the plan has the columns that make sense of such groups. 0; -EINVAL with one line in `error`;
 * -ENOMEM.
 */
int flow_group_plan(const char *words, struct group_plan *ret_plan, struct buf *error) MUST_CHECK;

/* A plan with every column that there may be, to list them. 0 or -ENOMEM. */
int flow_group_all(struct group_plan *ret_plan) MUST_CHECK;

/* Of what was recorded other columns are shown, unless columns are named: it has no present. */
void flow_group_past(struct group_plan *plan);

/* The columns that the needs of the keys are asked by; appended to a query of table_flows. */
void flow_group_keys(const struct group_plan *plan, struct query *query);

/* By what moves most now, then by what moved most, unless the query says otherwise. */
void flow_group_sort(struct query *groups);

/*
 * Appends a filter that the flows of a group pass, as far as the language can say it: "pid 1203".
 * False: it cannot.
 */
bool flow_group_condition(const struct view *view, uint32_t row, struct buf *condition);
