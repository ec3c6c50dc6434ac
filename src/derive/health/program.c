/* SPDX-License-Identifier: MIT */
/* Places of programs, as lists of prefixes. */
#include "derive/health/program.h"

#include <string.h>

bool program_begins_with(const char *text, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (strncmp(text, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

enum program_place program_place(const char *path)
{
    static const char *const temporary[] = {"/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", NULL};
    static const char *const homes[] = {"/home/", "/root/", NULL};

    if (program_begins_with(path, temporary))
        return PLACE_TEMPORARY;
    return program_begins_with(path, homes) ? PLACE_HOME : PLACE_USUAL;
}

bool program_is_memory(const struct snapshot *snapshot, const struct process *process)
{
    /* So that nobody in a container can write to the runtime's file. */
    static const char *const honest[] = {"/memfd:runc_cloned:", "/memfd:crun_cloned:", NULL};

    return process->flags & PROCESS_EXE_MEMFD &&
           !program_begins_with(snapshot_string(snapshot, process->exe, NULL), honest);
}

/* "python3.11" is "python" with a version. */
static bool is_interpreter(const char *exe)
{
    static const char *const names[] = {"bash", "dash",   "sh",   "ksh", "zsh",  "lua",
                                        "node", "python", "perl", "php", "ruby", NULL};
    const char *slash = strrchr(exe, '/'), *name = slash ? slash + 1 : exe;

    for (size_t i = 0; names[i]; i++) {
        size_t length = strlen(names[i]);

        if (strncmp(name, names[i], length) == 0 &&
            name[length + strspn(name + length, "0123456789.")] == '\0')
            return true;
    }
    return false;
}

const char *program_script(const char *exe, const char *cmdline)
{
    /* What follows is the program itself, or the name of a module. */
    static const char *const inline_options[] = {"-c ", "-e ", "-m ", "-r ", NULL};

    if (!is_interpreter(exe))
        return NULL;
    while ((cmdline = strchr(cmdline, ' '))) {
        cmdline++;
        if (*cmdline != '-')
            return cmdline;
        if (program_begins_with(cmdline, inline_options))
            return NULL;
    }
    return NULL;
}
