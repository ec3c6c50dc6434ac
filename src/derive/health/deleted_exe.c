/* SPDX-License-Identifier: MIT */
/* deleted-exe: processes on the network whose program is no file any more, or never was. */
#include "derive/health/health.h"
#include "derive/health/program.h"

enum advice_of_deleted_exe {
    NEVER_A_FILE,
    POSES,
    FROM_TEMPORARY,
    REMOVED,
    REPLACED,
    ADVICE_MAX,
};

static const struct advice advice[] = {
    [NEVER_A_FILE] =
        {
            .cause =
                N_("{process} was started from memory alone (memfd): hardly any honest service "
                   "is, many intruders' tools are"),
            .fix =
                {N_("find out who started {process}, and what it talks to, before anything else"),
                 N_("keep its program for later: cp /proc/{pid}/exe FILE"), NULL},
            .avoid = {N_("killing it at once: its program and its traces are gone with it"), NULL},
            .next = {"nwho {pid}{in}", "nwho ls{in} pid {pid} -o +exe,cmdline,age_s",
                     "nwho events{in} pid {pid}", NULL},
        },
    [POSES] =
        {
            .cause =
                N_("{process} has the name of a thread of the kernel, but a program of its own: "
                   "the kernel's threads have none"),
            .fix =
                {N_("find out who started {process}, and what it talks to, before anything else"),
                 N_("keep its program for later: cp /proc/{pid}/exe FILE"), NULL},
            .avoid = {N_("killing it at once: its program and its traces are gone with it"), NULL},
            .next = {"nwho {pid}{in}", "nwho ls{in} pid {pid} -o +exe,cmdline,age_s", NULL},
        },
    [FROM_TEMPORARY] =
        {
            .cause =
                N_("the program of {process} was started from a directory for temporary files, "
                   "and deleted: that hides it"),
            .fix =
                {N_("find out who started {process}, and what it talks to, before anything else"),
                 N_("keep its program for later: cp /proc/{pid}/exe FILE"), NULL},
            .avoid = {N_("killing it at once: its program and its traces are gone with it"), NULL},
            .next = {"nwho {pid}{in}", "nwho ls{in} pid {pid} -o +exe,cmdline,age_s", NULL},
        },
    [REMOVED] =
        {
            .cause =
                N_("the program of {process} was removed while it runs: its package is gone, and "
                   "the old version serves on"),
            .fix = {N_("stop {process}, if it is not wanted any more; else install it again, and "
                       "restart {unit}"),
                    NULL},
            .avoid = {N_("leaving it: it gets no security fixes, and cannot be started again"),
                      NULL},
            .next = {"nwho {pid}{in}", "nwho ls{in} pid {pid} -o +exe,cmdline,age_s", NULL},
        },
    [REPLACED] =
        {
            .cause = N_("the program of {process} was replaced by another version since it was "
                        "started: the old one serves on, with the errors that the new one mends"),
            .fix = {N_("restart {unit}"), NULL},
            .avoid = {NULL},
            .next = {"nwho {pid}{in}", "nwho ps{in} deleted -o pid,process,unit,exe,age_s", NULL},
        },
};

static const char *const texts[ADVICE_MAX] = {
    [NEVER_A_FILE] = N_("runs a program that was never a file"),
    [POSES] = N_("is no thread of the kernel, and has the name of one"),
    [FROM_TEMPORARY] = N_("runs a deleted program out of a directory for temporary files"),
    [REMOVED] = N_("runs a program that was removed"),
    [REPLACED] = N_("runs an old version of its program"),
};

static const enum severity severities[ADVICE_MAX] = {
    [NEVER_A_FILE] = SEVERITY_CRIT, [POSES] = SEVERITY_CRIT,    [FROM_TEMPORARY] = SEVERITY_CRIT,
    [REMOVED] = SEVERITY_WARN,      [REPLACED] = SEVERITY_INFO,
};

/* What is wrong with a program; ADVICE_MAX: nothing. */
static enum advice_of_deleted_exe judge(const struct snapshot *snapshot,
                                        const struct process *process)
{
    const char *exe = snapshot_string(snapshot, process->exe, NULL);
    const char *comm = snapshot_string(snapshot, process->comm, NULL);

    if (!(process->has & PROCESS_HAS_EXE) || !*exe)
        return ADVICE_MAX;
    if (process->has & PROCESS_HAS_COMM && process_poses_as_kernel(comm))
        return POSES;
    if (process->flags & PROCESS_EXE_MEMFD)
        return program_is_memory(snapshot, process) ? NEVER_A_FILE : ADVICE_MAX;
    if (!(process->flags & PROCESS_EXE_DELETED))
        return ADVICE_MAX;
    if (process->flags & PROCESS_EXE_REPLACED)
        return REPLACED;
    return program_place(exe) == PLACE_TEMPORARY ? FROM_TEMPORARY : REMOVED;
}

/* The first socket of a process: whoever is asked about it has an example. */
static uint32_t first_socket(const struct examination *examination, uint32_t process)
{
    for (uint32_t i = 0; i < examination->now->sockets_count; i++)
        if (health_owner(examination, i) == process)
            return i;
    return HEALTH_NONE;
}

static int say(struct examination *examination, uint32_t index, enum advice_of_deleted_exe which)
{
    uint32_t socket = first_socket(examination, index);
    struct subject subject = SUBJECT_NONE;
    uint32_t sockets = examination->join->processes[index].sockets;
    int r;

    if (socket != HEALTH_NONE)
        subject = health_subject(examination, socket);
    subject.process = index;
    health_say(examination,
               sockets == 1 ? N_("{1}, and has {2} socket") : N_("{1}, and has {2} sockets"),
               fact_word(texts[which]), fact_count(sockets));
    r = health_add(examination, severities[which], which, &subject, sockets);
    return r < 0 ? r
                 : health_prove_number(examination, "sockets of the process", "/proc/PID/exe",
                                       UNIT_COUNT, sockets, 1);
}

/* A glance does not look for sockets, but for programs. */
static bool hides_programs(const struct snapshot *before)
{
    for (uint32_t i = 0; i < before->processes_count; i++)
        if (!(before->processes[i].has & PROCESS_HAS_EXE) &&
            !(before->processes[i].flags & PROCESS_GONE))
            return true;
    return false;
}

static int run(struct examination *examination)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    if (!now->owners_known && hides_programs(examination->before))
        health_skip(examination, N_("the programs of some processes are hidden"));
    if (join_owners_hidden(now))
        health_skip(examination, N_("the sockets of some processes are hidden"));
    for (uint32_t i = 0; i < now->processes_count && r == 0; i++) {
        enum advice_of_deleted_exe which = judge(now, &now->processes[i]);

        if (examination->join->processes[i].sockets == 0)
            continue;
        if (!(now->processes[i].has & PROCESS_HAS_EXE))
            health_skip(examination, N_("the programs of some processes are hidden"));
        if (which != ADVICE_MAX)
            r = say(examination, i, which);
    }
    return r;
}

static bool has_suspect(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->processes_count; i++)
        if (!(snapshot->processes[i].flags & PROCESS_SOCKETLESS) &&
            judge(snapshot, &snapshot->processes[i]) != ADVICE_MAX)
            return true;
    return false;
}

/* Who has begun since is in a glance only where that is the beginning of the next window; else it
 * is seen by the next examination. */
static bool suspects(const struct examination *examination)
{
    return has_suspect(examination->before) || has_suspect(examination->now);
}

const struct check check_deleted_exe = {
    .name = "deleted-exe",
    .title = N_("processes on the network whose program is no file any more, or never was"),
    .needs = NEED_SOCKETS | NEED_OWNERS | NEED_EXE,
    .before = NEED_SUSPECTS | NEED_EXE,
    .protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
    .states = STATE_ALL,
    .at_once = true,
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        N_("A process keeps its program when the file is deleted: /proc/PID/exe then ends in "
           "\"(deleted)\". After an update that is usual, and means that the old version runs "
           "until the service is restarted. A program that was deleted out of /tmp, one that "
           "was never anything but memory (memfd_create and fexecve), and a process with a name "
           "like the kernel's threads hide from whoever looks for them.\n"
           "Measured: the program of every process that holds a TCP or UDP socket; whether a "
           "file is at the same path again tells an update (to know) from a removal (a "
           "warning). What hides is critical."),
    .sources = "man 5 proc_pid_exe; man 2 memfd_create",
    .suspects = suspects,
    .run = run,
};
