/* SPDX-License-Identifier: MIT */
/* unknown-outbound: programs that talk to the internet from where no package installs any. */
#include "derive/address.h"
#include "derive/health/health.h"
#include "derive/health/program.h"
#include "derive/health/tally.h"
#include "derive/service.h"

#include <string.h>

enum limit_of_unknown_outbound {
    SCORE,
    NOTABLE,
};

/* In the order in which they are told. */
enum sign {
    MEMORY,
    TEMPORARY,
    HOME,
    REMOVED,
    SCRIPT_TEMPORARY,
    SCRIPT_HOME,
    DETACHED,
    SIGN_MAX,
};

static const struct {
    uint32_t points;
    const char *text;
} signs[SIGN_MAX] = {
    [MEMORY] = {3, N_("its program was never a file")},
    [TEMPORARY] = {2, N_("its program is in a directory for temporary files")},
    [HOME] = {1, N_("its program is in a home directory")},
    [REMOVED] = {1, N_("its program was removed")},
    [SCRIPT_TEMPORARY] = {2, N_("it runs a script out of a directory for temporary files")},
    [SCRIPT_HOME] = {1, N_("it runs a script out of a home directory")},
    [DETACHED] = {1, N_("it belongs to no unit, container or terminal")},
};

static const struct advice advice[] = {{
    .cause =
        N_("{process} is connected to {peer}, and its program is where packages put none, or is "
           "gone: a tool that somebody built or fetched himself, or an intruder's"),
    .fix = {N_("ask who started {process}, and whether {peer} is a place that it has to talk to"),
            N_("where nobody knows: keep its program (cp /proc/{pid}/exe FILE), then cut the "
               "machine off the network, and look how it came here"),
            N_("where it is meant: install it to /usr/local or /opt, and run it as a unit"), NULL},
    .avoid =
        {N_("killing it at once: its program, its memory and its connections are gone with it, "
            "and what started it starts it again"),
         NULL},
    .next = {"nwho {pid}{in}", "nwho ls{in} pid {pid} -o +exe,cmdline,cgroup,age_s",
             "nwho ls{in} dst {peer}", "nwho top{in} pid {pid}", NULL},
}};

/* Nobody looks after it: neither a service, nor a container, nor who sits at a terminal. */
static bool is_detached(const struct snapshot *snapshot, const struct process *process)
{
    static const char slice[] = ".slice";
    struct path_part unit;
    const char *path;
    size_t length;

    if (!(process->has & PROCESS_HAS_TTY) || process->tty || !(process->has & PROCESS_HAS_CGROUP))
        return false;
    path = snapshot_string(snapshot, process->cgroup, &length);
    unit = service_unit(path, length);
    if (unit.length >= strlen(slice) &&
        memcmp(unit.start + unit.length - strlen(slice), slice, strlen(slice)) == 0)
        unit.length = 0;
    return unit.length == 0 && service_container(path, length).id.length == 0;
}

static void look_at_place(const char *path, bool *ret_temporary, bool *ret_home)
{
    enum program_place place = program_place(path);

    *ret_temporary = place == PLACE_TEMPORARY;
    *ret_home = place == PLACE_HOME;
}

static uint32_t look(const struct snapshot *snapshot, const struct process *process,
                     bool has[SIGN_MAX])
{
    const char *exe = snapshot_string(snapshot, process->exe, NULL);
    const char *script = program_script(exe, snapshot_string(snapshot, process->cmdline, NULL));
    uint32_t points = 0;

    has[MEMORY] = program_is_memory(snapshot, process);
    has[REMOVED] = process->flags & PROCESS_EXE_DELETED && !(process->flags & PROCESS_EXE_REPLACED);
    has[DETACHED] = is_detached(snapshot, process);
    look_at_place(exe, &has[TEMPORARY], &has[HOME]);
    if (script)
        look_at_place(script, &has[SCRIPT_TEMPORARY], &has[SCRIPT_HOME]);
    for (size_t i = 0; i < SIGN_MAX; i++)
        points += has[i] ? signs[i].points : 0;
    return points;
}

static enum severity judge(const struct examination *examination, uint32_t points)
{
    enum severity severity = health_judge(examination, SCORE, points);

    if (severity == SEVERITY_OK && health_judge(examination, NOTABLE, points) > SEVERITY_OK)
        return SEVERITY_INFO;
    return severity;
}

/* Adds a finding where it is of this severity. */
static int say(struct examination *examination, const struct tally_item *item,
               enum severity severity)
{
    struct subject subject = health_subject(examination, item->example);
    bool has[SIGN_MAX] = {false};
    uint32_t points = look(examination->now, &examination->now->processes[subject.process], has);
    int r;

    if (judge(examination, points) != severity)
        return 0;
    health_say(examination,
               item->count == 1 ? N_("has {1} connection to the internet")
                                : N_("has {1} connections to the internet"),
               fact_count(item->count));
    for (size_t i = 0; i < SIGN_MAX; i++)
        if (has[i])
            health_say(examination, "; {1}", fact_word(signs[i].text));
    r = health_add(examination, severity, 0, &subject, points);
    if (r == 0)
        r = health_prove_number(examination, "points of suspicion", "/proc/PID", UNIT_COUNT, points,
                                examination->limits[SCORE].warn);
    return r < 0 ? r
                 : health_prove_number(examination, "connections to the internet", "sock_diag",
                                       UNIT_COUNT, item->count, LIMIT_NEVER);
}

/* To the internet, and opened by who holds it. */
static bool goes_out(const struct examination *examination, uint32_t index)
{
    const struct socket *socket = &examination->now->sockets[index];

    return socket->state == STATE_ESTABLISHED &&
           examination->join->sockets[index].direction == DIRECTION_OUT &&
           address_scope(socket->family, &socket->peer) == SCOPE_PUBLIC;
}

/* Connections that a process made itself, by process. */
static int count_connections(struct examination *examination, struct tally *processes)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        uint32_t owner = health_owner(examination, i);

        if (owner == HEALTH_NONE || !goes_out(examination, i))
            continue;
        if (now->processes[owner].has & PROCESS_HAS_EXE)
            r = tally_add(processes, owner, 1, i);
        else
            health_skip(examination, N_("the programs of some processes are hidden: run as root"));
    }
    return r;
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally processes = {0};
    uint32_t most = examination->findings->count + FINDINGS_OF_CHECK;
    int r = count_connections(examination, &processes);

    if (join_owners_hidden(examination->now))
        health_skip(examination, N_("some processes do not show their sockets: run as root"));
    for (enum severity severity = SEVERITY_CRIT; severity > SEVERITY_OK && r == 0; severity--)
        for (uint32_t i = 0; i < processes.count && r == 0 && examination->findings->count < most;
             i++)
            r = say(examination, &processes.items[i], severity);
    return r;
}

static bool suspects(const struct examination *examination)
{
    for (uint32_t i = 0; i < examination->now->sockets_count; i++)
        if (goes_out(examination, i))
            return true;
    return false;
}

const struct check check_unknown_outbound = {
    .name = "unknown-outbound",
    .title = N_("programs that talk to the internet from where no package installs any"),
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_EXE | NEED_CMDLINE | NEED_CGROUP |
             NEED_PROCESS_STAT,
    .glance = NEED_SOCKETS | NEED_LISTENERS,
    .protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
    .states =
        STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_UNCONNECTED),
    .signs = SIGN_PUBLIC,
    .thresholds = {[SCORE] = {"score",
                              N_("points of suspicion, which --explain lists"),
                              UNIT_COUNT,
                              {3, LIMIT_NEVER},
                              "own"},
                   [NOTABLE] = {"notable",
                                N_("points from which on it is told as something to know"),
                                UNIT_COUNT,
                                {2, LIMIT_NEVER},
                                "own"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "Programs that belong here are installed below /usr or /opt, and run by a service manager "
        "or by somebody at a terminal. What an intruder brings is where everybody may write, in "
        "memory alone or deleted while it runs, and detached from the terminal; mostly it connects "
        "to the outside by itself, as what comes in is refused by firewalls.\n"
        "Measured: processes with an established TCP connection, or a connected UDP socket, to a "
        "public address that they opened themselves. Points: a program in memory alone 3; in /tmp, "
        "/var/tmp, /dev/shm or "
        "/run/user 2; in a home directory 1; removed while it runs 1; an interpreter with a script "
        "in these places the same as a program there; neither unit, nor container, nor terminal 1. "
        "One weak sign is nothing: developers run things from their home.\n"
        "One reading cannot tell whether a remote is new here, or called again and again at long "
        "intervals: that takes a history. nwho events shows each connection as it is made."),
    .sources = "man 5 proc_pid_exe; man 5 proc_pid_stat (tty_nr); man 7 cgroups",
    .suspects = suspects,
    .run = run,
};
