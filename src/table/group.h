/* SPDX-License-Identifier: MIT */
/* Groups: counts the rows of a grid by the values of some columns, and adds up others; the result
 * is a table again. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "table/query.h"

#define GROUP_KEYS_MAX 8
#define GROUP_ADDED_MAX 64

struct group_key {
    const struct column *column;
    uint8_t bits_v4, bits_v6; /* addresses: only so many of the first bits count */
};

/* How a column of the groups is made of a column of their rows. What is unknown adds nothing. */
enum group_how {
    GROUP_TOP, /* of the row that plan.weigh() says most of, evaluated when it is asked for; of a
                  key what all rows of the group have */
    GROUP_SUM,
    GROUP_SUM_ONCE, /* of the rows with the same plan.once() only the first is added */
    GROUP_MOST,
    GROUP_LEAST,
    GROUP_AND, /* bit by bit */
    GROUP_OR,
};

struct group_column {
    struct column column; /* as it is shown; its getter is put in by the plan */
    enum group_how how;
    column_get_fn *part; /* of a row; a number, unless GROUP_TOP */
    /* The cell of what was made of the parts; NULL: that itself. */
    struct value (*whole)(const struct view *view, uint64_t number);
};

/* What is more between two rows: compared from the first number on. */
struct group_weight {
    uint64_t most, then;
};

/* What to count by, and the table that the groups make. Not to be moved: the table refers to it. */
struct group_plan {
    struct table table;
    struct column columns[GROUP_ADDED_MAX];
    struct group_key keys[GROUP_KEYS_MAX];
    uint32_t key_count;
    /* Beside the keys, in the order of table.columns; NULL: nobody asks for it. */
    const struct group_column *added[GROUP_ADDED_MAX];
    uint32_t added_count;
    struct group_weight (*weigh)(const struct view *view, uint32_t row);
    column_get_fn *once;
    struct arena arena; /* of what is not borrowed */
};

struct group_number {
    uint64_t number;
    bool known;
};

struct group_row {
    struct value keys[GROUP_KEYS_MAX]; /* texts and addresses are in the arena */
    uint64_t count;
    struct group_weight weight;
    uint32_t top;   /* the row that it is of */
    uint32_t place; /* of its numbers */
};

/* The groups of one moment: what view.group points to. Ended by group_done(). */
struct group {
    const struct group_plan *plan;
    struct group_row *rows;
    struct group_number *numbers; /* plan->added_count for each of `rows`, by their place */
    struct map seen;              /* plan->once() of the rows so far */
    uint32_t row_count, row_capacity, number_count, number_capacity;
    uint64_t total; /* rows counted */
    struct arena arena;
};

/*
 * The keys: "state,process", "peer/24", "peer/24/56". The table has them, their count and share.
 * 0; -EINVAL with one line in `error`; -ENOMEM.
 */
int group_plan(const struct table *table, const char *words, struct group_plan *ret_plan,
               struct buf *error) MUST_CHECK;

/* A key of this column. `prefix`: "24", "24/56", or NULL; it is written to. 0 or -EINVAL. */
int group_plan_key(struct group_plan *plan, const struct column *column, char *prefix,
                   struct buf *error) MUST_CHECK;

/* Adds the sums of what only grows and of rates, all columns of the table. 0 or -ENOMEM. */
int group_plan_sums(struct group_plan *plan, const struct table *table) MUST_CHECK;

/*
 * When the columns of the groups are chosen: what they and the keys are made of becomes columns of
 * the rows, so that it is read; nothing else is added up.
 */
void group_plan_rows(struct group_plan *plan, const struct query *groups, struct query *rows);

/* Of a plan that has more than keys. */
void group_plan_done(struct group_plan *plan);

/* A column that is borrowed; the next one of the table. There may be GROUP_ADDED_MAX. */
void group_plan_add(struct group_plan *plan, const struct group_column *added);

/* Counts the rows of a grid into a zeroed group. The most frequent come first. 0 or -ENOMEM. */
int group_make(const struct group_plan *plan, const struct grid *grid, struct group *group)
    MUST_CHECK;
void group_done(struct group *group);

/* Whether a row of the table that was grouped has the keys of the group. 0 or 1, or -ENOMEM. */
int group_has(const struct group *group, uint32_t group_row, const struct view *view, uint32_t row)
    MUST_CHECK;

/* What was made of a column of the plan: of one group, or the sum over all of them. Unknown: the
 * plan does not have the column. */
struct group_number group_number(const struct group *group, uint32_t row, const char *column);
struct group_number group_sum(const struct group *group, const char *column);

/* --- for group*.c --- */

uint32_t group_rows(const struct view *view);
uint64_t group_identity(const struct view *view, uint32_t row);

/* What the group shows of key number n. */
struct value group_key_cell(const struct view *view, uint32_t row, uint32_t n);

/* Makes room for the numbers of a new group. 0 or -ENOMEM. */
int group_new_numbers(struct group *group, struct group_row *row) MUST_CHECK;

/* Adds what a row of the grid's table has to the numbers of its group. 0 or -ENOMEM. */
int group_add(struct group *group, const struct view *view, uint32_t row, struct group_row *to)
    MUST_CHECK;
