/* SPDX-License-Identifier: MIT */
/* List: a table that scrolls, with a selected row that stays the same row whatever happens around
 * it. */
#pragma once

#include "tui/series.h"
#include "tui/terminal.h"
#include "tui/tui.h"

#define LIST_NO_ROW UINT32_MAX

struct list {
    struct tui_row *rows; /* of each row of the grid */
    uint32_t *order;      /* place on the screen -> row of the grid */
    uint32_t count, row_capacity, order_capacity;
    struct map places; /* while the order is frozen: identity -> place */
    uint32_t next_place;
    bool frozen;

    uint32_t top;      /* first place that is seen */
    uint32_t selected; /* place */
    uint64_t identity; /* of the selected row, when it is followed */
    bool follows;      /* else the first place is selected, whichever row stands there */

    uint32_t left;                      /* columns that are scrolled away behind the first */
    uint32_t widths[QUERY_COLUMNS_MAX]; /* they only grow, so that nothing jumps */
    uint32_t height;                    /* rows that were seen */
    struct {
        const struct column *column;
        int begin, end;
    } headings[QUERY_COLUMNS_MAX]; /* that were seen, for the mouse */
    uint32_t heading_count;
};

struct list_units {
    bool bytes;      /* rates */
    bool total_bits; /* totals */
};

void list_done(struct list *list);

/* Other columns and rows are going to come: begins at the top. */
void list_reset(struct list *list);

/* The widths of columns are found anew. */
void list_forget_widths(struct list *list);

/* Takes in an answer; `freeze`: rows stay in the order they had. Rows of different groupings have
 * different identities from here on. 0 or -ENOMEM. */
int list_update(struct list *list, const struct tui_source *source, uint32_t grouping,
                const struct tui_answer *answer, bool freeze) MUST_CHECK;

/* Selects the row so many places further down. */
void list_move(struct list *list, int64_t places);
void list_select(struct list *list, uint32_t place);

/* The selected row of the grid, or LIST_NO_ROW. */
uint32_t list_row(const struct list *list);

/* The column whose heading was drawn there, or NULL. */
const struct column *list_heading(const struct list *list, int column);

/* Heading and rows in `height` lines from `line` on. `scratch` is used for cells. */
void list_draw(struct list *list, const struct terminal *terminal, const struct tui_answer *answer,
               const struct series *series, const struct list_units *units, int line, int height);
