/* SPDX-License-Identifier: MIT */
/* Curses on a terminal that is not there. */
#include "no_terminal.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>

void no_terminal(int rows, int columns)
{
    static SCREEN *started;

    if (!started) {
        FILE *nowhere = fopen("/dev/null", "r+e");

        started = nowhere ? newterm("vt100", nowhere, nowhere) : NULL;
        if (!started)
            abort();
    }
    resize_term(rows, columns);
}
