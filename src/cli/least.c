/* SPDX-License-Identifier: MIT */
/* Least privilege: a table of the commands. */
#include "cli/least.h"

#include "base/confine_command.h"
#include "cli/command.h"

#include <linux/capability.h>
#include <string.h>

/*
 * To read: BPF, with the hooks of cgroups (CAP_NET_ADMIN), which also lets sock_diag tell of marks
 * and ctnetlink answer; /proc/PID and limits of others; other network namespaces (CAP_SYS_ADMIN),
 * where also a hint looks when nothing was found.
 */
#define READS                                                                                      \
    (CAPABILITY(CAP_BPF) | CAPABILITY(CAP_PERFMON) | CAPABILITY(CAP_NET_ADMIN) |                   \
     CAPABILITY(CAP_SYS_ADMIN) | CAPABILITY(CAP_SYS_PTRACE) | CAPABILITY(CAP_SYS_RESOURCE) |       \
     CAPABILITY(CAP_DAC_READ_SEARCH))

/* Files of any user: the history, recordings. */
#define FILES                                                                                      \
    (CAPABILITY(CAP_DAC_READ_SEARCH) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_CHOWN) |      \
     CAPABILITY(CAP_FOWNER))

struct least {
    const char *command;
    uint64_t keeps; /* CAPABILITY()s, of those it has */
    uint32_t may;   /* enum confine_may */
};

/* What is not here keeps all: it gives up its privileges by itself, or tries what there is. */
/* NOLINTBEGIN(misc-redundant-expression): the sets share capabilities */
static const struct least commands[] = {
    {"", READS, 0},
    {"TARGET", READS, 0},
    {"ls", READS, 0},
    {"ports", READS, 0},
    {"doctor", READS, 0},
    {"ps", READS, 0},
    {"top", READS | FILES | CAPABILITY(CAP_KILL), CONFINE_MAY_WRITE},
    {"count", READS, 0},
    {"events", READS, 0},
    {"if", READS | CAPABILITY(CAP_NET_RAW), 0},
    {"stats", READS, 0},
    {"routes", READS, 0},
    {"groups", READS, 0},
    {"nat", READS, 0},
    {"kill", READS, 0},
    {"why-busy", READS | CAPABILITY(CAP_NET_BIND_SERVICE), 0},
    {"history", FILES, CONFINE_MAY_WRITE},
    {"export", FILES, CONFINE_MAY_WRITE},
    {"mark", FILES, CONFINE_MAY_WRITE},
    {"fleet", CAPABILITY(CAP_DAC_READ_SEARCH), CONFINE_MAY_WRITE},
    {"columns", 0, 0},
    {"help", 0, 0},
    {"ss", READS | FILES, CONFINE_MAY_WRITE},
    {"netstat", READS, 0},
    {"lsof", READS, 0},
    {"conntrack", READS | CAPABILITY(CAP_NET_RAW), 0},
    {"nethogs", READS, 0},
    {"iftop", READS, 0},
    {"sar", READS | FILES, CONFINE_MAY_WRITE},
};
/* NOLINTEND(misc-redundant-expression) */

int least_begin(void)
{
    if (confine_has_borrowed())
        return command_error("will not run with a set-user-ID or set-group-ID bit or with "
                             "capabilities of its file, which would show everybody what only root "
                             "may see: take them away (chmod ug-s, setcap -r) and use sudo");
    confine_new_privileges();
    return 0;
}

/* A recording, or a list to compare with, is written wherever the user says. */
static bool writes_files(const struct options *options)
{
    return options && (options->record || options->save_baseline || options->svg || options->file);
}

static bool may_page(const struct options *options)
{
    return options && options->format == FORMAT_TEXT && !options->no_pager && isatty(STDOUT_FILENO);
}

void least_keep(const char *command, const struct options *options)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        struct least least = commands[i];

        if (strcmp(least.command, command) != 0)
            continue;
        if (writes_files(options)) {
            least.keeps |= FILES;
            least.may |= CONFINE_MAY_WRITE;
        }
        if (may_page(options))
            least.may |= CONFINE_MAY_RUN;
        confine_capabilities_to(least.keeps);
        confine_calls(least.may);
        return;
    }
}

void least_end(void)
{
    confine_capabilities_to(0);
}
