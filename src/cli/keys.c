/* SPDX-License-Identifier: MIT */
/* Keys while --watch runs. */
#include "cli/keys.h"

#include "base/cleanup.h"

#include <signal.h>
#include <stdbool.h>
#include <termios.h>
#include <unistd.h>

/* Both are for signal handlers: how the terminal was, and whether it is not so now. */
static struct termios usual;
static volatile sig_atomic_t is_changed;

/* Whether keys are wanted at all. */
static volatile sig_atomic_t is_wanted;

/* In the background the terminal is that of others: to change it would stop us (SIGTTOU). One that
 * does not control the process (no process group) has no background. */
static bool is_foreground(void)
{
    pid_t group = tcgetpgrp(STDIN_FILENO);

    return group < 0 || group == getpgrp();
}

void keys_end(void)
{
    if (is_changed && is_foreground())
        tcsetattr(STDIN_FILENO, TCSANOW, &usual);
    is_changed = 0;
}

static void on_end(int signal);

static void catch_signal(int signal)
{
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_NODEFER}, before;

    if (sigaction(signal, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        sigaction(signal, &action, NULL);
}

/* Does with the usual terminal what the signal does to programs that do not catch it. When it goes
 * on after SIGTSTP it may be about to wait for keys: nothing would call keys_listen() until then.
 */
static void on_end(int number)
{
    bool was_changed = is_changed;
    int error = errno, fd;

    keys_end();
    signal(number, SIG_DFL);
    raise(number);
    catch_signal(number);
    fd = was_changed ? keys_listen() : -1;
    (void)fd; /* in the background it takes none */
    errno = error;
}

void keys_begin(void)
{
    static const int signals[] = {SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return;
    is_wanted = 1;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        catch_signal(signals[i]);
}

int keys_listen(void)
{
    struct termios now;

    if (!is_wanted || !is_foreground() || tcgetattr(STDIN_FILENO, &now) < 0)
        return -1;
    if (!(now.c_lflag & ICANON) && is_changed)
        return STDIN_FILENO;
    if (!is_changed)
        usual = now;
    now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    is_changed = 1;
    return tcsetattr(STDIN_FILENO, TCSANOW, &now) < 0 ? -1 : STDIN_FILENO;
}

enum key keys_take(void)
{
    char key;
    ssize_t length = read(STDIN_FILENO, &key, 1);

    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return KEYS_NONE;
    if (length <= 0 || key == 'q' || key == 'Q')
        return KEYS_QUIT;
    return key == '?' || key == 'h' ? KEYS_HELP : KEYS_NONE;
}
