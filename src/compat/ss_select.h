/* SPDX-License-Identifier: MIT */
/* What ss(8)'s words for tables, families and states stand for, and what each takes for granted. */
#pragma once

#include "compat/ss_options.h"

/* Connected: neither listening nor closed, nor of a minisocket. */
#define SS_STATES_CONNECTED (SS_STATES_ALL & ~(1u << 10 | 1u << 7 | 1u << 6 | 1u << 3))
#define SS_STATES_LISTENING (1u << 10 | 1u << 7)

/* AF_*, or -EINVAL. */
int ss_family_parse(const char *name);

/* Adds the tables of a word, or with a "!" before it takes them out. -EINVAL: no such word. */
int ss_tables_parse(struct ss_selection *selection, const char *name) MUST_CHECK;

/* A state or a group of states. -EINVAL: no such word. */
int ss_states_parse(const char *name, uint32_t *ret_states) MUST_CHECK;

void ss_select_table(struct ss_selection *selection, enum ss_table table, bool wanted);

/* A column that could only say one thing is hidden. */
static inline bool ss_is_one_bit(uint32_t bits)
{
    return (bits & (bits - 1)) == 0;
}

/* Tables without a family get theirs, and families without a table. */
void ss_selection_complete(struct ss_selection *selection);
