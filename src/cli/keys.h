/* SPDX-License-Identifier: MIT */
/* Keys while --watch runs: from a terminal without a newline, which is then put back as it was. */
#pragma once

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

enum key {
    KEYS_NONE,
    KEYS_QUIT, /* q, or the terminal is gone */
    KEYS_HELP,
};

/* What the key that has come asks for. */
enum key keys_take(void);

/* Puts the terminal back. May be called by a signal handler, and at any time. */
void keys_end(void);
