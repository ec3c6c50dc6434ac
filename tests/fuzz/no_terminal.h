/* SPDX-License-Identifier: MIT */
/* Curses on a terminal that is not there. */
#pragma once

/* Starts it, or resizes what was started before; it is kept as long as the process lives. */
void no_terminal(int rows, int columns);
