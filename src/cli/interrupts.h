/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM: the first one is remembered, and ends what runs where it is ready to. */
#pragma once

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

/*
 * From here on both are caught, and come only where they are let in: in interrupts_wait() with the
 * mask *ret_unblocked, and between interrupts_let_in() and interrupts_shut_out(). A second one ends
 * the program where it is, with 128 + its number.
 */
void interrupts_catch(sigset_t *ret_unblocked);

bool interrupts_came(void);

/* ppoll(2), by which they also come where something is ready each time: it looks for none then. */
int interrupts_wait(struct pollfd *awaited, nfds_t count, const struct timespec *left,
                    const sigset_t *unblocked);

/* As if one had come: the key q. */
void interrupts_pretend(void);

/*
 * Around output, which a reader may take for ever. `exit_code`: the first one ends the program with
 * it, unless interrupts_shut_out() comes within `grace` seconds (0: at once); -1: it is remembered.
 */
void interrupts_let_in(const sigset_t *unblocked, int exit_code, unsigned int grace);
void interrupts_shut_out(void);
