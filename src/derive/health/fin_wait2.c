/* SPDX-License-Identifier: MIT */
/* fin-wait2: remotes that do not close connections which were ended here. */
#include "derive/health/health.h"
#include "derive/health/remote.h"
#include "derive/health/tally.h"

enum limit_of_fin_wait2 {
    SOCKETS,
};

enum advice_of_fin_wait2 {
    REMOTE_LEAKS,
    LOCAL_LEAKS,
};

static const struct advice advice[] = {
    [REMOTE_LEAKS] =
        {
            .cause =
                N_("these connections were closed here, and {peer} port {peer_port} knows it, but "
                   "the program there does not close them: at that machine they are in "
                   "close-wait"),
            .fix =
                {N_("mend the program at {peer} port {peer_port}: it must close() after read() has "
                    "returned 0"),
                 NULL},
            .avoid = {N_("net.ipv4.tcp_fin_timeout: a shorter one hides here what goes on leaking "
                         "there, and has nothing to do with time-wait"),
                      NULL},
            .next = {"nwho ls{in} state fin-wait-2 dst {peer} dport {peer_port}", NULL},
        },
    [LOCAL_LEAKS] =
        {
            .cause = N_("these connections were closed at their other end, and {process} does not "
                        "close its own"),
            .fix = {N_("mend {process}: it must close() after read() has returned 0"), NULL},
            .avoid =
                {N_("net.ipv4.tcp_fin_timeout: a shorter one ends fin-wait-2 only, and the leak "
                    "is in close-wait"),
                 NULL},
            .next = {"nwho doctor{in} close-wait", "nwho ls{in} pid {pid} state close-wait", NULL},
        },
};

/* Only those that are in this state at both ends of the window: others are on their way. */
static int count_sockets(const struct examination *examination, struct tally *remotes)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i], *before;

        if (socket->proto != PROTO_TCP || socket->state != STATE_FIN_WAIT_2)
            continue;
        before = health_socket_before(examination, socket);
        if (before && before->state == STATE_FIN_WAIT_2)
            r = tally_add(remotes, remote_key(socket, true), 1, i);
    }
    return r;
}

static int say(struct examination *examination, const struct tally_item *item)
{
    const struct snapshot *now = examination->now;
    enum severity severity = health_judge(examination, SOCKETS, item->count);
    uint32_t other;
    struct subject subject;
    bool is_local;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject = health_subject(examination, item->example);
    other = remote_other_end(now, &now->sockets[item->example]);
    is_local = other != HEALTH_NONE && health_owner(examination, other) != HEALTH_NONE;
    subject.process = is_local ? health_owner(examination, other) : HEALTH_NONE;
    health_say(examination,
               is_local ? N_("keeps open {1} connections that were closed here")
                        : N_("a remote keeps open {1} connections that were closed here"),
               fact_count(item->count));
    r = health_add(examination, severity, is_local ? LOCAL_LEAKS : REMOTE_LEAKS, &subject,
                   item->count);
    return r < 0
               ? r
               : health_prove_number(examination, "sockets in fin-wait-2 at both ends", "sock_diag",
                                     UNIT_COUNT, item->count, examination->limits[SOCKETS].warn);
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally remotes = {0};
    int r = count_sockets(examination, &remotes);

    return r < 0 ? r : tally_say_worst(&remotes, say, examination);
}

static bool suspects(const struct examination *examination)
{
    uint32_t count = health_count(examination, STATE_BIT(STATE_FIN_WAIT_2));

    return health_judge(examination, SOCKETS, count) > SEVERITY_OK;
}

const struct check check_fin_wait2 = {
    .name = "fin-wait2",
    .title = N_("remotes that do not close connections which were ended here"),
    .needs = NEED_SOCKETS | NEED_OWNERS,
    .before = NEED_SOCKETS,
    .glance = NEED_SOCKETS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_CLOSE_WAIT),
    .thresholds = {[SOCKETS] = {"sockets",
                                N_("connections with one port of one remote"),
                                UNIT_COUNT,
                                {1000, LIMIT_NEVER},
                                "own"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "Who closes a connection first waits in FIN-WAIT-2 until the other side closes too. "
        "Without a process the kernel waits for net.ipv4.tcp_fin_timeout (60 s) and then forgets "
        "the connection; with one (shutdown() of one direction) it waits for ever. Many of them "
        "with one remote show that a program there leaks connections: it has them in CLOSE-WAIT, "
        "for which there is no time limit.\n"
        "Measured: TCP sockets that are in fin-wait-2 at both ends of the window, by address and "
        "port of the remote. Where the remote is on this machine the process is named that does "
        "not close."),
    .sources = "RFC 9293 3.3.2; Documentation/networking/ip-sysctl.rst (tcp_fin_timeout)",
    .suspects = suspects,
    .run = run,
};
