/* SPDX-License-Identifier: MIT */
/* close-wait: processes that do not close connections which the other side has ended. */
#include "derive/health/health.h"
#include "derive/health/tally.h"

enum limit_of_close_wait {
    SOCKETS,
    OLDEST,
    SEVERAL,
    FD_SHARE,
};

static const struct advice advice[] = {{
    .cause = N_("the other side has closed these connections, and {process} has not: it does not "
                "notice the end of "
                "input, or forgets the descriptor"),
    .fix =
        {N_("mend the program: close() after read() has returned 0, also on its ways out after an "
            "error"),
         N_("until then a restart of {process} frees them"), NULL},
    .avoid = {N_("sysctls: none ends CLOSE-WAIT, as only the process may; tcp_fin_timeout and "
                 "keepalive are about "
                 "other states"),
              N_("a higher limit of descriptors: it only takes longer until they are used up"),
              NULL},
    .next = {"nwho ls{in} pid {pid} state close-wait --sort last_recv_ms:desc", "nwho {pid}", NULL},
}};

/* By process: how many, the age of the oldest, and which it is. */
static int count_sockets(const struct examination *examination, struct tally *processes,
                         struct tally *fresh)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i], *before;
        const struct tcp_details *tcp = snapshot_tcp(now, socket);
        uint32_t process;

        if (socket->state != STATE_CLOSE_WAIT || socket->proto != PROTO_TCP)
            continue;
        process = health_owner(examination, i);
        if (process == HEALTH_NONE)
            continue;
        /* The end of the other side's data was the last that was acknowledged. */
        r = tally_add(processes, process, tcp ? tcp->last_ack_recv_ms : 0, i);
        before = health_socket_before(examination, socket);
        if (r == 0 && (!before || before->state != STATE_CLOSE_WAIT))
            r = tally_add(fresh, process, 1, i);
    }
    return r;
}

/* In permille of the limit of descriptors. */
static uint64_t share_of_limit(const struct process *process, uint32_t count)
{
    bool known = process->has & PROCESS_HAS_FD_LIMIT && process->fd_limit;

    return known ? (uint64_t)count * 1000 / process->fd_limit : 0;
}

static enum severity judge(const struct examination *examination, const struct tally_item *item,
                           uint64_t share)
{
    enum severity by_count = health_judge(examination, SOCKETS, item->count);
    enum severity by_age = health_judge(examination, OLDEST, item->largest);
    enum severity by_share = health_judge(examination, FD_SHARE, share);
    enum severity worst = by_count > by_share ? by_count : by_share;

    /* One that is left over for hours is a blemish; several show that they are forgotten. */
    if (by_age > SEVERITY_OK && health_judge(examination, SEVERAL, item->count) == SEVERITY_OK)
        by_age = SEVERITY_INFO;
    return by_age > worst ? by_age : worst;
}

static int say(struct examination *examination, const struct tally_item *item,
               const struct tally *fresh)
{
    const struct snapshot *now = examination->now;
    const struct process *process = &now->processes[item->key];
    uint64_t share = share_of_limit(process, item->count);
    enum severity severity = judge(examination, item, share);
    uint32_t at = map_get(&fresh->index, item->key);
    uint32_t more = at < fresh->count ? fresh->items[at].count : 0;
    struct subject subject = health_subject(examination, item->example);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    health_say(examination, N_("keeps {1} connections in close-wait, the oldest for {2}"),
               fact_count(item->count), fact_duration(item->largest * 1000));
    if (more)
        health_say(examination, N_(", +{1} in {2}"), fact_count(more), fact_window(examination));
    if (share)
        health_say(examination, N_("; {1} of {2} descriptors are open"), fact_count(process->fds),
                   fact_count(process->fd_limit));
    r = health_add(examination, severity, 0, &subject, item->count);
    if (r == 0)
        r = health_prove(examination, (struct evidence){
                                          .counter = "sockets in close-wait",
                                          .source = "sock_diag",
                                          .unit = UNIT_COUNT,
                                          .before = (int64_t)item->count - (int64_t)more,
                                          .after = item->count,
                                          .rate = EVIDENCE_NONE,
                                          .threshold = (int64_t)examination->limits[SOCKETS].warn,
                                      });
    if (r == 0)
        r = health_prove_number(examination, "age of the oldest", "tcp_info last_ack_recv",
                                UNIT_MILLISECONDS, item->largest, examination->limits[OLDEST].warn);
    if (r == 0 && share)
        r = health_prove_number(examination, "part of the limit of descriptors, in permille",
                                "/proc/PID/limits", UNIT_COUNT, share,
                                examination->limits[FD_SHARE].crit);
    return r;
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally processes = {0}, fresh = {0};
    int r = count_sockets(examination, &processes, &fresh);

    for (uint32_t i = 0; i < processes.count && r == 0; i++)
        r = say(examination, &processes.items[i], &fresh);
    return r;
}

/* How many are too many depends on the process. */
static bool suspects(const struct examination *examination)
{
    for (uint32_t i = 0; i < examination->now->sockets_count; i++)
        if (examination->now->sockets[i].state == STATE_CLOSE_WAIT)
            return true;
    return false;
}

const struct check check_close_wait = {
    .name = "close-wait",
    .title = N_("processes that do not close connections which the other side has ended"),
    .needs = NEED_SOCKETS | NEED_TCP_PROGRESS | NEED_OWNERS | NEED_FDS,
    .before = NEED_SOCKETS,
    .glance = NEED_SOCKETS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_CLOSE_WAIT),
    .at_once = true,
    .thresholds =
        {
            [SOCKETS] =
                {"sockets", N_("connections of one process"), UNIT_COUNT, {100, 1000}, "own"},
            [OLDEST] = {"oldest",
                        N_("age of the oldest, where there are several"),
                        UNIT_MILLISECONDS,
                        {300000, LIMIT_NEVER},
                        "own"},
            [SEVERAL] = {"several",
                         N_("what is more than a blemish"),
                         UNIT_COUNT,
                         {10, LIMIT_NEVER},
                         "own"},
            [FD_SHARE] = {"fd-share",
                          N_("permille of the process's limit of descriptors"),
                          UNIT_COUNT,
                          {250, 500},
                          "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "When the other side closes a connection the kernel acknowledges that and waits, in the "
        "state CLOSE-WAIT, "
        "until the own process closes its descriptor as well. No timer ends this state. Each such "
        "connection keeps "
        "a descriptor, and memory where data was not read; at the limit of descriptors accept() "
        "and open() fail.\n"
        "Measured: TCP sockets in close-wait by the process that holds them, whose last "
        "acknowledgement (the end of "
        "the other side) is how long ago; new ones within the window; the share of RLIMIT_NOFILE."),
    .sources = "RFC 9293 3.3.2; man 7 tcp; man 2 getrlimit",
    .suspects = suspects,
    .run = run,
};
