/* SPDX-License-Identifier: MIT */
/* orphans: closed connections that the kernel still has to send data of, to remotes that take none.
 */
#include "derive/health/health.h"
#include "derive/health/remote.h"
#include "derive/health/tally.h"

enum limit_of_orphans {
    SHARE,
    SOCKETS,
    ABORTS,
};

enum advice_of_orphans {
    TOO_MANY,
    ONE_REMOTE,
    ABORTED,
};

/* In these something is still to be sent; in fin-wait-2 all was acknowledged. */
#define ORPHAN_STATES                                                                              \
    (STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK))

#define NOT_TIME_WAIT                                                                              \
    "taking them for time-wait: these are other sockets, and tcp_max_tw_buckets and "              \
    "tcp_fin_timeout do nothing about them"

static const struct advice advice[] = {
    [TOO_MANY] =
        {
            .cause =
                N_("programs have closed connections whose data the other side does not take; the "
                   "kernel goes on trying, and at net.ipv4.tcp_max_orphans breaks them off "
                   "(those with many tries behind them at a quarter of it already)"),
            .fix =
                {N_("look to whom they go: a remote or a way there that is dead"),
                 N_("net.ipv4.tcp_orphan_retries of 2 or 3: such connections end in seconds"),
                 N_("net.ipv4.tcp_max_orphans higher, where there is memory: each may take 64 kB"),
                 NULL},
            .avoid = {NOT_TIME_WAIT, NULL},
            .next = {"nwho count peer/24 orphan exclude fin-wait-2 --all-netns --limit 10",
                     "nwho ls orphan exclude fin-wait-2 --all-netns --sort send_q:desc --limit 20",
                     NULL},
        },
    [ONE_REMOTE] =
        {
            .cause =
                N_("connections to {peer} were closed here while it takes no data any more: it is "
                   "gone, or does not read; the kernel keeps what it has not taken, and tries for "
                   "minutes"),
            .fix = {N_("look whether {peer} can be reached, and whether the program there reads"),
                    N_("net.ipv4.tcp_orphan_retries of 2 or 3: such connections end in seconds"),
                    NULL},
            .avoid = {NOT_TIME_WAIT, NULL},
            .next =
                {"nwho ls{in} orphan exclude fin-wait-2 dst {peer} -o +timer,retrans --limit 20",
                 "nwho routes{in} {peer}", NULL},
        },
    [ABORTED] =
        {
            .cause =
                N_("the kernel broke off connections as there were too many orphans (\"too many "
                   "orphaned sockets\" in its log), or no memory for TCP"),
            .fix = {N_("see what orphans there are and to whom; then net.ipv4.tcp_max_orphans"),
                    N_("see what TCP takes of net.ipv4.tcp_mem"), NULL},
            .avoid = {NOT_TIME_WAIT, NULL},
            .next = {"nwho stats{in} orphan -a",
                     "nwho count{in} peer/24 orphan exclude fin-wait-2 --limit 10", NULL},
        },
};

/* The remotes with orphans that were so at both ends of the window: others are on their way. */
static int count_sockets(const struct examination *examination, struct tally *remotes)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i], *before;

        if (socket->proto != PROTO_TCP || !(STATE_BIT(socket->state) & ORPHAN_STATES) ||
            examination->join->sockets[i].reason != OWNER_ORPHAN)
            continue;
        before = health_socket_before(examination, socket);
        if (before && !before->inode && before->state == socket->state)
            r = tally_add(remotes, remote_key(socket, false), socket->send_q, i);
    }
    return r;
}

static int say_remote(struct examination *examination, const struct tally_item *item,
                      enum severity severity)
{
    struct subject subject = health_subject(examination, item->example);
    int r;

    subject.peer_port = 0;
    health_say(examination, N_("{1} closed connections to one remote still have {2} to send"),
               fact_count(item->count), fact_bytes(item->sum));
    r = health_add(examination, severity, ONE_REMOTE, &subject, item->count);
    if (r == 0)
        r = health_prove_number(examination, "orphans to this remote at both ends", "sock_diag",
                                UNIT_COUNT, item->count, examination->limits[SOCKETS].warn);
    return r < 0 ? r
                 : health_prove_number(examination, "send_q of them", "sock_diag", UNIT_BYTES,
                                       item->sum, LIMIT_NEVER);
}

static int look_at_machine(struct examination *examination)
{
    struct change orphans = health_machine_counter(examination, "SockTCPOrphan");
    uint64_t most = health_setting_number(examination, 0, "net.ipv4.tcp_max_orphans", 0);
    uint64_t share, least = orphans.before < orphans.after ? orphans.before : orphans.after;
    enum severity severity;
    struct subject subject = SUBJECT_NONE;
    int r;

    if (!orphans.known || !most) {
        health_skip(examination, N_("net.ipv4.tcp_max_orphans could not be read: only remotes with "
                                    "many orphans are found"));
        return 0;
    }
    share = least * 1000 / most;
    severity = health_judge(examination, SHARE, share);
    if (severity == SEVERITY_OK)
        return 0;
    health_say(examination, N_("{1} closed connections still have data to send, {2} may"),
               fact_count(orphans.after), fact_count(most));
    r = health_add(examination, severity, TOO_MANY, &subject, share);
    if (r == 0)
        r = health_prove_change(examination, "SockTCPOrphan", "/proc/net/sockstat", &orphans,
                                LIMIT_NEVER);
    return r < 0 ? r
                 : health_prove_number(examination, "orphans, in permille of tcp_max_orphans",
                                       "/proc/sys/net/ipv4/tcp_max_orphans", UNIT_COUNT, share,
                                       examination->limits[SHARE].warn);
}

static int look_at_aborts(struct examination *examination, uint32_t netns)
{
    struct change aborts = health_counter(examination, netns, "TcpExtTCPAbortOnMemory");
    enum severity severity = health_judge(examination, ABORTS, aborts.rate);
    struct subject subject = SUBJECT_NONE;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject.netns = netns;
    health_say(examination, N_("{1} connections were broken off for want of memory in {2}"),
               fact_count(aborts.delta), fact_window(examination));
    r = health_add(examination, severity, ABORTED, &subject, aborts.delta);
    return r < 0 ? r
                 : health_prove_change(examination, "TcpExtTCPAbortOnMemory", "/proc/net/netstat",
                                       &aborts, examination->limits[ABORTS].warn);
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally remotes = {0};
    uint32_t count;
    int r = look_at_machine(examination);

    for (uint32_t netns = 0; netns < examination->now->netns_count && r == 0; netns++)
        r = look_at_aborts(examination, netns);
    if (r == 0)
        r = count_sockets(examination, &remotes);
    count = tally_worst(&remotes);
    for (uint32_t i = 0; i < count && r == 0; i++) {
        enum severity severity = health_judge(examination, SOCKETS, remotes.items[i].count);

        if (severity > SEVERITY_OK)
            r = say_remote(examination, &remotes.items[i], severity);
    }
    return r;
}

static bool suspects(const struct examination *examination)
{
    uint32_t count = health_count(examination, ORPHAN_STATES);

    return health_judge(examination, SOCKETS, count) > SEVERITY_OK;
}

const struct check check_orphans = {
    .name = "orphans",
    .title = N_("closed connections whose data the other side does not take"),
    .needs = NEED_SOCKETS | NEED_OWNERS | NEED_COUNTERS | NEED_SETTINGS,
    .before = NEED_SOCKETS | NEED_COUNTERS,
    .glance = NEED_SOCKETS | NEED_COUNTERS | NEED_SETTINGS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = ORPHAN_STATES,
    .thresholds =
        {
            [SHARE] = {"share",
                       N_("permille of net.ipv4.tcp_max_orphans, of the whole machine"),
                       UNIT_COUNT,
                       {250, 500},
                       "netdata tcp_orphans.conf"},
            [SOCKETS] =
                {"sockets", N_("orphans to one remote"), UNIT_COUNT, {1000, LIMIT_NEVER}, "own"},
            [ABORTS] = {"aborts",
                        N_("connections broken off for want of memory, in a second"),
                        UNIT_COUNT,
                        {1, 5},
                        "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "When a process closes a connection with data unsent, or ends, the kernel goes on sending. "
        "Such a socket has no process any more: an orphan, in FIN-WAIT-1, CLOSING or LAST-ACK. It "
        "is "
        "not TIME-WAIT, and a FIN-WAIT-2 without a process is none either. A remote that is gone, "
        "or does not read, keeps it for minutes, with its data.\n"
        "Beyond net.ipv4.tcp_max_orphans, of the whole machine, the kernel resets orphans. Those "
        "with a closed window or many tries count twice or four times: it begins at a quarter.\n"
        "Measured: orphan of sockstat at both ends of the window, against the setting; sockets "
        "without a process in these states at both ends, by remote; TCPAbortOnMemory of each "
        "network "
        "namespace."),
    .sources = "Documentation/networking/ip-sysctl.rst (tcp_max_orphans, tcp_orphan_retries); "
               "net/ipv4/tcp_timer.c, tcp_out_of_resources()",
    .suspects = suspects,
    .run = run,
};
