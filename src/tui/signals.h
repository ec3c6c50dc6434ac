/* SPDX-License-Identifier: MIT */
/* Signals: they become events of the loop; those that end the program give the terminal back. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <termios.h>

/* How the terminal is given back, also by a handler. Only terminal.c changes it. */
struct give_back {
    struct termios before;
    char bytes[256]; /* that restore the screen */
    size_t length;
    int stderr_before; /* what stderr was; -1: it is that still */
};

/*
 * Handles signals from now on; `give_back` is borrowed, and what is still missing of it may be
 * filled in later. 0 or -errno.
 */
int signals_catch(const struct give_back *give_back) MUST_CHECK;

/* Signals do what they did before. */
void signals_release(void);

/* The program goes into a write that may never end, or is out of it: signals then end it at once.
 */
void signals_writing(bool writing);

/* Stands still, as by Ctrl-Z, until it goes on. */
void signals_stand_still(void);
