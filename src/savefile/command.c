/* SPDX-License-Identifier: MIT */
/* Commands that are run on finished files. */
#include "savefile/command.h"

#include "base/vec.h"

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define LEAST_PRIORITY 19

static void forget_ended(struct commands *commands)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < commands->count; i++)
        if (waitpid(commands->running[i], NULL, WNOHANG) == 0)
            commands->running[count++] = commands->running[i];
    commands->count = count;
}

/* With the signals as they usually are. */
static int spawn(const char *program, const char *path, pid_t *ret_pid)
{
    char *const arguments[] = {(char *)program, (char *)path, NULL};
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    int error;

    error = posix_spawnattr_init(&attributes);
    if (error)
        return -error;
    sigemptyset(&none);
    sigfillset(&usual);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = posix_spawnp(ret_pid, program, NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

void commands_begin(struct commands *commands, const char *program, const char *path)
{
    pid_t pid = -1;

    forget_ended(commands);
    commands->error = VEC_RESERVE(&commands->running, &commands->capacity, commands->count, 1);
    if (commands->error == 0)
        commands->error = spawn(program, path, &pid);
    if (commands->error != 0)
        return;
    (void)setpriority(PRIO_PROCESS, (id_t)pid, LEAST_PRIORITY);
    commands->running[commands->count++] = pid;
}

void commands_done(struct commands *commands)
{
    forget_ended(commands);
    free(commands->running);
    *commands = (struct commands){0};
}
