/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM of the commands that run until they are interrupted. */
#include "cli/interrupts.h"

#include "cli/keys.h"

#include <unistd.h>

static volatile sig_atomic_t came;

/* -1: the first one is remembered. */
static volatile sig_atomic_t leave_with = -1;

/* How long the program may go on when the first one has come. */
static volatile sig_atomic_t grace_seconds;

static void leave(int exit_code)
{
    keys_end();
    _exit(exit_code);
}

static void on_interrupt(int signal)
{
    if (came)
        leave(128 + signal);
    came = 1;
    if (leave_with < 0)
        return;
    if (!grace_seconds)
        leave(leave_with);
    alarm((unsigned int)grace_seconds);
}

static void on_alarm(int signal)
{
    (void)signal;
    leave(leave_with);
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
    struct sigaction interrupt = {.sa_handler = on_interrupt}, end = {.sa_handler = on_alarm};
    sigset_t blocked = both();

    sigprocmask(SIG_BLOCK, &blocked, ret_unblocked);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &interrupt, NULL);
    sigaction(SIGALRM, &end, NULL);
}

bool interrupts_came(void)
{
    return came;
}

int interrupts_wait(struct pollfd *awaited, nfds_t count, const struct timespec *left,
                    const sigset_t *unblocked)
{
    int ready = ppoll(awaited, count, left, unblocked);
    sigset_t kept;

    if (ready > 0) {
        sigprocmask(SIG_SETMASK, unblocked, &kept);
        sigprocmask(SIG_SETMASK, &kept, NULL);
    }
    return ready;
}

void interrupts_pretend(void)
{
    came = 1;
}

void interrupts_let_in(const sigset_t *unblocked, int exit_code, unsigned int grace)
{
    leave_with = exit_code;
    grace_seconds = (sig_atomic_t)grace;
    sigprocmask(SIG_SETMASK, unblocked, NULL);
}

void interrupts_shut_out(void)
{
    sigset_t blocked = both();

    sigprocmask(SIG_BLOCK, &blocked, NULL);
    alarm(0);
    leave_with = -1;
}
