/* SPDX-License-Identifier: MIT */
/* The screen of `nwho if DEV --watch`: an interface with its rates, totals, losses, and graphs. */
#pragma once

#include "cli/session.h"
#include "tui/series.h"

struct if_screen {
    struct series rx, tx; /* bytes/s, by the identity of the row */
    bool utf8;
};

void if_screen_begin(struct if_screen *screen);
void if_screen_end(struct if_screen *screen);

/*
 * Writes each row of a grid of interfaces as a block of lines, the graphs as high and wide as there
 * is room for: `rows` lines of `columns` columns; 0: no terminal. The text of a row has at most
 * that many lines. A row is drawn from its reading on; each reading is to be drawn once. 0 or
 * -ENOMEM.
 */
int if_screen_write(struct if_screen *screen, const struct grid *grid, uint32_t rows,
                    uint32_t columns, struct buf *out) MUST_CHECK;
