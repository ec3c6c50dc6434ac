/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM of the commands that run until they are interrupted. */
#include "cli/interrupts.h"

#include "cli/keys.h"

#include <unistd.h>

static volatile sig_atomic_t came;

/* -1: the first one is remembered. */
static volatile sig_atomic_t leave_with = -1;

static void on_interrupt(int signal)
{
    int exit_code = came ? 128 + signal : leave_with;

    came = 1;
    if (exit_code >= 0) {
        keys_end();
        _exit(exit_code);
    }
}

static sigset_t both(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void interrupts_catch(sigset_t *ret_unblocked)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigset_t blocked = both();

    sigprocmask(SIG_BLOCK, &blocked, ret_unblocked);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupts_came(void)
{
    return came;
}

void interrupts_pretend(void)
{
    came = 1;
}

void interrupts_let_in(const sigset_t *unblocked, int exit_code)
{
    leave_with = exit_code;
    sigprocmask(SIG_SETMASK, unblocked, NULL);
}

void interrupts_shut_out(void)
{
    sigset_t blocked = both();

    sigprocmask(SIG_BLOCK, &blocked, NULL);
    leave_with = -1;
}
