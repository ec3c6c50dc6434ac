/* SPDX-License-Identifier: MIT */
/* Signals must not leave the terminal in a mess. */
#include "tui/signals.h"

#include "tui/terminal.h"

#include <fcntl.h>
#include <signal.h>

/*
 * What signal handlers need; they have no other way to get at it. Everything is set before the
 * handlers are installed.
 */
static struct {
    volatile sig_atomic_t leave, suspend, resized, continued; /* what came */
    volatile sig_atomic_t writing; /* the program is inside a write that may never end */
    int wake[2];                   /* a pipe: handlers write, the loop reads */
    const struct give_back *give_back;
} state = {.wake = {-1, -1}};

static const int leaving_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
static const int other_signals[] = {SIGTSTP, SIGWINCH, SIGCONT};

#define LEAVING ARRAY_SIZE(leaving_signals)
#define CRASHING ARRAY_SIZE(crash_signals)

static struct sigaction actions_before[LEAVING + CRASHING + ARRAY_SIZE(other_signals)];

/* --- in signal handlers: only what signal-safety(7) allows --- */

static void restore_now(void)
{
    const struct give_back *give_back = state.give_back;
    ssize_t written;

    signal(SIGTTOU, SIG_IGN); /* also from the background */
    if (state.writing) {
        int flags = fcntl(STDOUT_FILENO, F_GETFL);

        tcflush(STDOUT_FILENO, TCOFLUSH); /* what could not be written so far will not be */
        fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
        written = write(STDOUT_FILENO, give_back->bytes, give_back->length);
        fcntl(STDOUT_FILENO, F_SETFL, flags);
    } else {
        written = write(STDOUT_FILENO, give_back->bytes, give_back->length);
    }
    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, &give_back->before);
    if (give_back->stderr_before >= 0)
        dup2(give_back->stderr_before, STDERR_FILENO);
}

/* The signal does what it would have done without us: it is pending until the handler returns. */
static void raise_again(int number)
{
    restore_now();
    for (size_t i = 0; i < CRASHING; i++)
        if (crash_signals[i] == number)
            sigaction(number, &actions_before[LEAVING + i], NULL);
    for (size_t i = 0; i < LEAVING; i++)
        if (leaving_signals[i] == number)
            signal(number, SIG_DFL);
    raise(number);
}

static void on_crash(int number)
{
    raise_again(number);
}

static void wake_loop(void)
{
    int saved = errno;
    ssize_t written = write(state.wake[1], "", 1);

    (void)written; /* full: the loop wakes up anyway */
    errno = saved;
}

/* The second time, or inside a write that hangs, nobody waits for the loop. */
static void on_leave(int number)
{
    if (state.leave || state.writing) {
        raise_again(number);
        return;
    }
    state.leave = number;
    wake_loop();
}

static void on_other(int number)
{
    if (number == SIGTSTP)
        state.suspend = 1;
    else if (number == SIGWINCH)
        state.resized = 1;
    else
        state.continued = 1;
    wake_loop();
}

/* --- installing --- */

static void install(int number, void (*handler)(int), int flags, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | flags};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, before);
    /* nohup(1): what is ignored stays so. */
    if (before && before->sa_handler == SIG_IGN && handler == on_leave)
        sigaction(number, before, NULL);
}

/* A stack of its own, as the crash may be that there is no stack left. */
static void install_crash_stack(void)
{
    static char bytes[32768];
    stack_t stack = {.ss_sp = bytes, .ss_size = sizeof(bytes)}, before;

    if (sigaltstack(NULL, &before) == 0 && before.ss_flags & SS_DISABLE)
        sigaltstack(&stack, NULL);
}

static void install_handlers(void)
{
    struct sigaction *before = actions_before;

    install_crash_stack();
    for (size_t i = 0; i < LEAVING; i++)
        install(leaving_signals[i], on_leave, 0, before++);
    for (size_t i = 0; i < CRASHING; i++)
        install(crash_signals[i], on_crash, SA_ONSTACK, before++);
    for (size_t i = 0; i < ARRAY_SIZE(other_signals); i++)
        install(other_signals[i], on_other, 0, before++);
}

static void remove_handlers(void)
{
    const struct sigaction *before = actions_before;

    for (size_t i = 0; i < LEAVING; i++)
        sigaction(leaving_signals[i], before++, NULL);
    for (size_t i = 0; i < CRASHING; i++)
        sigaction(crash_signals[i], before++, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(other_signals); i++)
        sigaction(other_signals[i], before++, NULL);
}

static void close_pipe(void)
{
    for (int i = 0; i < 2; i++) {
        if (state.wake[i] >= 0)
            close(state.wake[i]);
        state.wake[i] = -1;
    }
}

int signals_catch(const struct give_back *give_back)
{
    state.leave = state.suspend = state.resized = state.continued = state.writing = 0;
    state.give_back = give_back;
    if (pipe2(state.wake, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    install_handlers();
    return 0;
}

void signals_release(void)
{
    remove_handlers();
    close_pipe();
}

void signals_writing(bool writing)
{
    state.writing = writing;
}

void signals_stand_still(void)
{
    struct sigaction before;

    install(SIGTSTP, SIG_DFL, 0, &before);
    raise(SIGTSTP); /* it stands still in here */
    sigaction(SIGTSTP, &before, NULL);
}

/* --- events --- */

int terminal_event_fd(void)
{
    return state.wake[0];
}

struct terminal_events terminal_events(void)
{
    struct terminal_events events;
    char bytes[64];

    while (read(state.wake[0], bytes, sizeof(bytes)) > 0)
        ;
    events.leave = state.leave;
    events.suspend = state.suspend;
    events.resized = state.resized;
    events.continued = state.continued;
    state.suspend = state.resized = state.continued = 0;
    return events;
}
