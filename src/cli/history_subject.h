/* SPDX-License-Identifier: MIT */
/* Subjects of `nwho history`: what its rows are, by the word of --by. */
#pragma once

#include "cli/session.h"
#include "store/store.h"

struct history_subject {
    const char *word; /* of --by; NULL: any other, as for `top` */
    /* The query of the rows, and that of their groups, which `session->groups` is then. 0, or
     * EXIT_ERROR after one line on stderr. */
    int (*plan)(struct session *session, struct query *rows, struct query *groups,
                struct group_plan *by);
    /* Which of what is stored the rows are made of, when the queries are planned. */
    unsigned int (*parts)(const struct session *session);
    /* Rows count from zero on, at the beginning of what was measured: the session is given that
     * first. NULL: they are what they are. */
    int (*adopt_beginning)(struct session *session, const struct store_answer *answer);
    /* What a trend is drawn of. */
    uint64_t (*amount)(const struct view *view, uint32_t row);
    bool is_level;   /* it is a number of things, not what happened */
    bool is_traffic; /* of processes: how exactly it was counted is said */
};

/* The columns of `events` of the past. 0 or EXIT_ERROR. */
int history_plan_events(struct session *session, struct query *query) MUST_CHECK;

/* Which flows a planned query takes: the sums of minutes know no peers. */
unsigned int history_flow_parts(const struct session *session);

/* When nothing was found: a line on stderr about a filter on what is not recorded. */
void history_hint(const struct session *session);

const struct history_subject *history_subject_find(const char *by);

/* Whether what is recorded can be shown so. 0, or EXIT_ERROR after one line on stderr. */
int history_check_by(const char *by, bool has_states) MUST_CHECK;
