/* SPDX-License-Identifier: MIT */
/* Keys while --watch runs: from a terminal without a newline, which is then put back as it was. */
#pragma once

#include <stdbool.h>

/*
 * From here on signals that end or stop the program put the terminal back first, where standard
 * input and output are one; elsewhere nothing is done: keys may be meant for `less` behind a pipe.
 */
void keys_begin(void);

/*
 * The descriptor on which a key can be waited for; -1: there is none now, as in the background. To
 * be asked again before each wait.
 */
int keys_listen(void);

/* Whether the key that has come ends the program: q, or the terminal is gone. */
bool keys_quit(void);

/* Puts the terminal back. May be called by a signal handler, and at any time. */
void keys_end(void);
