/* SPDX-License-Identifier: MIT */
/* fd-limit: processes with sockets, or a machine, that run out of descriptors. */
#include "base/rate.h"
#include "derive/health/health.h"
#include "derive/health/ills.h"
#include "derive/health/tally.h"

enum limit_of_fd_limit {
    OPEN,
    MACHINE,
};

enum advice_of_fd_limit {
    CANNOT_ACCEPT,
    NEARLY_FULL,
    MACHINE_FULL,
};

static const struct advice advice[] = {
    [CANNOT_ACCEPT] =
        {
            .cause =
                N_("{process} has as many descriptors open as it may: accept() fails with \"too "
                   "many open files\", and connections wait in vain"),
            .fix = {N_("close what leaks: many connections in close-wait are a leak"),
                    N_("a higher limit, if {process} needs that many: LimitNOFILE= in {unit}, then "
                       "restart it"),
                    NULL},
            .avoid = {N_("ulimit -n in a shell: it does not reach a service that is running"),
                      N_("a longer backlog of the listener: nobody accepts from it"), NULL},
            .next = {"nwho ps{in} pid {pid}", "nwho count{in} state,peer pid {pid}",
                     "nwho doctor{in} close-wait accept-queue", NULL},
        },
    [NEARLY_FULL] =
        {
            .cause = N_("{process} is about to have as many descriptors open as it may; then "
                        "accept(), connect() and open() fail"),
            .fix =
                {N_("look whether their number only grows: then {process} forgets to close some"),
                 N_("a higher limit, if {process} needs that many: LimitNOFILE= in {unit}, then "
                    "restart it"),
                 NULL},
            .avoid = {N_("ulimit -n in a shell: it does not reach a service that is running"),
                      NULL},
            .next = {"nwho ps{in} pid {pid}", "nwho count{in} state,peer pid {pid}", NULL},
        },
    [MACHINE_FULL] =
        {
            .cause =
                N_("all processes together have nearly as many files open as the kernel allows"),
            .fix = {N_("find the process that has most of them"), N_("a higher fs.file-max"), NULL},
            .avoid =
                {N_("higher limits of single processes: the machine's is the one that is reached"),
                 NULL},
            .next = {"nwho ps --all-netns --sort fds:desc --limit 10", NULL},
        },
};

/* A process that locks itself in (of sshd, for those who have not logged in yet) lowers its limit
 * below this, or below what it has open. */
#define LOCKED_IN 16

/* In permille of its limit; 0 where that is not known, or meant so. */
static uint64_t share_of(const struct process *process)
{
    const uint32_t known = PROCESS_HAS_FDS | PROCESS_HAS_FD_LIMIT;

    if ((process->has & known) != known || process->fd_limit < LOCKED_IN ||
        process->fds > process->fd_limit)
        return 0;
    return (uint64_t)process->fds * 1000 / process->fd_limit;
}

/* By process: a listener of it whose accept queue is full. */
static int find_full_listeners(const struct examination *examination, struct tally *listeners)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count; i++) {
        const struct socket *socket = &now->sockets[i];

        if (!ill_accept_queue_full(socket))
            continue;
        for (uint32_t j = 0; j < examination->join->sockets[i].holder_count && r == 0; j++)
            r = tally_add(listeners, join_holder(now, examination->join, i, j)->process,
                          socket->recv_q, i);
    }
    return r;
}

/* At both ends of the window. */
static bool is_nearly_full(const struct examination *examination, const struct process *process)
{
    const struct process *before = health_process_before(examination, process);

    return before && health_judge(examination, OPEN, share_of(process)) > SEVERITY_OK &&
           health_judge(examination, OPEN, share_of(before)) > SEVERITY_OK;
}

static int say_process(struct examination *examination, uint32_t index,
                       const struct tally *listeners)
{
    const struct process *process = &examination->now->processes[index];
    const struct process *before = health_process_before(examination, process);
    uint32_t full = map_get(&listeners->index, index);
    uint64_t share = share_of(process);
    enum severity severity = health_judge(examination, OPEN, share);
    bool refuses = full < listeners->count && process->fds == process->fd_limit;
    struct subject subject = SUBJECT_NONE;
    int r;

    if (!is_nearly_full(examination, process))
        return 0;
    if (refuses)
        subject = health_subject(examination, listeners->items[full].example);
    else if (process->has & PROCESS_HAS_NETNS)
        subject.netns = process->netns;
    subject.process = index;
    health_say(examination, N_("has {1} of {2} descriptors open, {3} of them sockets"),
               fact_count(process->fds), fact_count(process->fd_limit),
               fact_count(examination->join->processes[index].sockets));
    if (refuses)
        health_say(examination, N_("; {1} connections wait in vain to be accepted"),
                   fact_count(listeners->items[full].sum));
    r = health_add(examination, refuses ? SEVERITY_CRIT : severity,
                   refuses ? CANNOT_ACCEPT : NEARLY_FULL, &subject, share);
    return r < 0 ? r
                 : health_prove(examination, (struct evidence){
                                                 .counter = "open descriptors",
                                                 .source = "/proc/PID/fd, /proc/PID/limits",
                                                 .unit = UNIT_COUNT,
                                                 .before = before->fds,
                                                 .after = process->fds,
                                                 .rate = EVIDENCE_NONE,
                                                 .threshold = process->fd_limit,
                                             });
}

/* fs.file-nr: open files, 0, the most there may be. */
static int look_at_machine(struct examination *examination)
{
    const struct setting *files = health_setting(examination, 0, "fs.file-nr");
    struct subject subject = SUBJECT_NONE;
    enum severity severity;
    uint64_t share;
    int r;

    if (!files || files->count < 3 || files->numbers[2] == 0)
        return 0;
    /* A limit that was never meant to be reached may be 2^63. */
    share = uint64_of((double)files->numbers[0] * 1000 / (double)files->numbers[2]);
    severity = health_judge(examination, MACHINE, share);
    if (severity == SEVERITY_OK)
        return 0;
    health_say(examination, N_("{1} of {2} files are open on this machine"),
               fact_count(files->numbers[0]), fact_count(files->numbers[2]));
    r = health_add(examination, severity, MACHINE_FULL, &subject, share);
    return r < 0 ? r
                 : health_prove_number(examination, "open files", "/proc/sys/fs/file-nr",
                                       UNIT_COUNT, files->numbers[0], files->numbers[2]);
}

/* A glance does not look for sockets, but for descriptors. A limit is everybody's to read. */
static bool hides_descriptors(const struct snapshot *before)
{
    for (uint32_t i = 0; i < before->processes_count; i++)
        if ((before->processes[i].has & (PROCESS_HAS_FDS | PROCESS_HAS_FD_LIMIT)) ==
            PROCESS_HAS_FD_LIMIT)
            return true;
    return false;
}

static int run(struct examination *examination)
{
    const struct snapshot *now = examination->now;
    CLEANUP(tally_done) struct tally listeners = {0};
    int r = find_full_listeners(examination, &listeners);

    if (!now->owners_known && hides_descriptors(examination->before))
        health_skip(examination, N_("the descriptors of some processes are hidden"));
    if (join_owners_hidden(now))
        health_skip(examination, N_("the sockets of some processes are hidden"));
    for (uint32_t i = 0; i < now->processes_count && r == 0; i++)
        if (examination->join->processes[i].sockets)
            r = say_process(examination, i, &listeners);
    return r < 0 ? r : look_at_machine(examination);
}

static void narrow(const struct limit *limits, struct request *request)
{
    uint64_t least = limits[OPEN].warn < limits[OPEN].crit ? limits[OPEN].warn : limits[OPEN].crit;

    request->fd_permille = least < UINT32_MAX ? (uint32_t)least : UINT32_MAX;
}

/* Who is to be found was nearly full at the beginning. */
static bool suspects(const struct examination *examination)
{
    const struct snapshot *before = examination->before;

    for (uint32_t i = 0; i < before->processes_count; i++)
        if (health_judge(examination, OPEN, share_of(&before->processes[i])) > SEVERITY_OK)
            return true;
    return false;
}

const struct check check_fd_limit = {
    .name = "fd-limit",
    .title = N_("processes with sockets, or a machine, that run out of descriptors"),
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_FDS | NEED_SETTINGS,
    .before = NEED_SUSPECTS | NEED_FDS,
    .glance = NEED_SETTINGS,
    .protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
    .states = STATE_ALL,
    .at_once = true,
    .thresholds =
        {
            [OPEN] = {"open",
                      N_("permille of the process's limit, at both ends of the window"),
                      UNIT_COUNT,
                      {850, 950},
                      "netdata processes.conf"},
            [MACHINE] = {"machine",
                         N_("permille of fs.file-max"),
                         UNIT_COUNT,
                         {700, 900},
                         "node_exporter mixin"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        N_("Each socket is a descriptor. A process may have as many as its limit says "
           "(RLIMIT_NOFILE, often 1024); at the limit accept(), connect() and open() fail with "
           "EMFILE. A server that cannot accept leaves its clients in the accept queue, and "
           "mostly tries again at once, so that it is busy with nothing.\n"
           "Measured: descriptors and limit of each process that holds a socket, at both ends "
           "of the window, and whether the accept queue of one of its listeners is full; files "
           "of the whole machine (fs.file-nr)."),
    .sources = "man 2 getrlimit; man 2 accept (EMFILE); man 5 proc_sys_fs",
    .narrow = narrow,
    .suspects = suspects,
    .run = run,
};
