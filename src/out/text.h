/* SPDX-License-Identifier: MIT */
/* Text: the grid as an aligned table, for people and for grep. */
#pragma once

#include "table/query.h"

/* Columns, kept from one call to the next, so that what follows is aligned with what was written.
 */
struct text_layout {
    size_t widths[QUERY_COLUMNS_MAX]; /* no column is narrower; before the first call: at least */
    bool hidden[QUERY_COLUMNS_MAX];   /* by the first call */
    bool settled;                     /* the first call has been */
};

struct text_options {
    bool no_header;
    bool color;
    bool exact;      /* numbers in full instead of "1.2M" and "3h12m" */
    bool bits;       /* rates of bytes in bits */
    uint32_t width;  /* of the terminal: long texts are cut; 0: no terminal, nothing is cut */
    bool clip;       /* columns for which that is not enough are left out: no line is longer */
    bool keep_marks; /* also columns of marks in which no row has anything */
    struct text_layout *layout; /* of what is written bit by bit; NULL: each call finds its own */
};

/*
 * One line a row, columns two blanks apart, no blanks at the end of a line. Rows of a grid with
 * marks begin with "+" new, "~" changed, "-" gone, or a blank. Every cell is evaluated once.
 * 0, or the error of `out`, or -ENOMEM.
 */
int text_write(const struct grid *grid, const struct text_options *options, struct buf *out)
    MUST_CHECK;
