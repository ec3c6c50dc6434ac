/* SPDX-License-Identifier: MIT */
/* half-open: connections of which nothing tells whether the other side is still there. */
#include "derive/health/health.h"
#include "derive/health/pmtu.h"
#include "derive/health/remote.h"
#include "derive/health/tally.h"

enum limit_of_half_open {
    IDLE,
    FD_SHARE,
    UNANSWERED,
    TRIES,
};

enum advice_of_half_open {
    SILENT,
    DYING,
};

static const struct advice advice[] = {
    [SILENT] =
        {
            .cause =
                N_("{process} keeps connections without keepalive on which nothing has gone "
                   "either way for long; whether {peer} and others are still there nobody knows: "
                   "a machine that was switched off, or a firewall that has forgotten the "
                   "connection, says nothing"),
            .fix = {N_("SO_KEEPALIVE in {process}, with TCP_KEEPIDLE shorter than firewalls forget "
                       "(often 5 to 60 minutes); or a message of its own that wants an answer"),
                    N_("a limit of idle time in {process}, after which it closes"), NULL},
            .avoid =
                {N_("net.ipv4.tcp_keepalive_time alone: it only works for programs that ask for "
                    "SO_KEEPALIVE"),
                 N_("a higher limit of descriptors: it only takes longer until they are used up"),
                 NULL},
            .next = {"nwho ls{in} pid {pid} established not keepalive --sort last_recv_ms:desc",
                     NULL},
        },
    [DYING] =
        {
            .cause = N_("{peer} acknowledges nothing any more: it was switched off or lost its way "
                        "here, or a firewall has forgotten these connections; the kernel gives up "
                        "after net.ipv4.tcp_retries2 tries, about 15 minutes"),
            .fix = {N_("look whether {peer} can be reached, and what is on the way"),
                    N_("TCP_USER_TIMEOUT in {process}, so that it learns of it earlier"), NULL},
            .avoid = {N_("net.ipv4.tcp_retries2 for the whole machine: connections to others then "
                         "break at short failures"),
                      NULL},
            .next = {"nwho ls{in} dst {peer} -o +timer,retrans,last_recv_ms",
                     "nwho routes{in} {peer}", NULL},
        },
};

/* The peer answers no data, for several tries, and not because they are too large. */
static bool is_dying(const struct examination *examination, uint32_t index)
{
    const struct socket *socket = &examination->now->sockets[index];

    return socket->has & SOCKET_HAS_TIMER && socket->timer == TIMER_RETRANSMIT &&
           health_judge(examination, TRIES, socket->retransmits) > SEVERITY_OK &&
           !pmtu_is_black_hole(examination->now, socket);
}

/* The kernel would show the keepalive timer. */
static bool is_silent(const struct examination *examination, uint32_t index, uint64_t *ret_ms)
{
    const struct socket *socket = &examination->now->sockets[index];
    const struct tcp_details *tcp = snapshot_tcp(examination->now, socket);

    if (!tcp || !(socket->has & SOCKET_HAS_TIMER) || socket->timer != TIMER_OFF || socket->send_q)
        return false;
    *ret_ms = tcp->last_data_sent_ms < tcp->last_data_recv_ms ? tcp->last_data_sent_ms
                                                              : tcp->last_data_recv_ms;
    return health_judge(examination, IDLE, *ret_ms) > SEVERITY_OK;
}

static int say_silent(struct examination *examination, const struct tally_item *item)
{
    const struct process *process = &examination->now->processes[item->key];
    bool known = process->has & PROCESS_HAS_FD_LIMIT && process->fd_limit;
    uint64_t share = known ? (uint64_t)item->count * 1000 / process->fd_limit : 0;
    enum severity severity = health_judge(examination, FD_SHARE, share);
    struct subject subject = health_subject(examination, item->example);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    health_say(examination,
               N_("keeps {1} silent connections, of {2} descriptors it may have; one for {3}"),
               fact_count(item->count), fact_count(process->fd_limit),
               fact_duration(item->largest * 1000));
    r = health_add(examination, severity, SILENT, &subject, share);
    if (r == 0)
        r = health_prove_number(examination, "silent connections, in permille of descriptors",
                                "/proc/PID/limits", UNIT_COUNT, share,
                                examination->limits[FD_SHARE].warn);
    return r < 0 ? r
                 : health_prove_number(examination, "since any data", "tcp_info last_data_recv",
                                       UNIT_MILLISECONDS, item->largest,
                                       examination->limits[IDLE].warn);
}

static int say_dying(struct examination *examination, const struct tally_item *item)
{
    enum severity severity = health_judge(examination, UNANSWERED, item->count);
    struct subject subject = health_subject(examination, item->example);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject.peer_port = 0;
    subject.acts = true;
    health_say(examination,
               N_("has {1} connections to one remote that acknowledges nothing, after {2} tries"),
               fact_count(item->count), fact_count(item->largest));
    r = health_add(examination, severity, DYING, &subject, item->count);
    if (r == 0)
        r = health_prove_number(examination, "connections without an answer", "sock_diag",
                                UNIT_COUNT, item->count, examination->limits[UNANSWERED].warn);
    return r < 0 ? r
                 : health_prove_number(examination, "tries", "sock_diag", UNIT_COUNT, item->largest,
                                       examination->limits[TRIES].warn);
}

static int count_sockets(const struct examination *examination, struct tally *silent,
                         struct tally *dying)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i];
        uint32_t process = health_owner(examination, i);
        uint64_t milliseconds;

        if (socket->proto != PROTO_TCP || socket->state != STATE_ESTABLISHED)
            continue;
        if (is_dying(examination, i))
            r = tally_add(dying, remote_key(socket, false), socket->retransmits, i);
        else if (process != HEALTH_NONE && is_silent(examination, i, &milliseconds))
            r = tally_add(silent, process, milliseconds, i);
    }
    return r;
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally silent = {0}, dying = {0};
    int r = count_sockets(examination, &silent, &dying);

    if (r == 0)
        r = tally_say_worst(&silent, say_silent, examination);
    return r < 0 ? r : tally_say_worst(&dying, say_dying, examination);
}

static void narrow(const struct limit *limits, struct request *request)
{
    uint64_t least = limits[IDLE].warn < limits[IDLE].crit ? limits[IDLE].warn : limits[IDLE].crit;

    request->idle_ms = least < UINT32_MAX ? (uint32_t)least : UINT32_MAX;
}

static bool suspects(const struct examination *examination)
{
    const struct snapshot *now = examination->now;
    uint64_t milliseconds;

    for (uint32_t i = 0; i < now->sockets_count; i++)
        if (now->sockets[i].proto == PROTO_TCP && now->sockets[i].state == STATE_ESTABLISHED &&
            (is_dying(examination, i) || is_silent(examination, i, &milliseconds)))
            return true;
    return false;
}

const struct check check_half_open = {
    .name = "half-open",
    .title = N_("connections of which nothing tells whether the other side is still there"),
    .needs = NEED_SOCKETS | NEED_TCP_PROGRESS | NEED_OWNERS | NEED_FDS,
    .glance = NEED_SOCKETS | NEED_TCP_PROGRESS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_ESTABLISHED),
    .signs = SIGN_TROUBLE | SIGN_IDLE,
    .thresholds =
        {
            [IDLE] = {"idle",
                      N_("a connection without keepalive is silent when no data went for so long"),
                      UNIT_MILLISECONDS,
                      {7200000, LIMIT_NEVER},
                      "net.ipv4.tcp_keepalive_time"},
            [FD_SHARE] =
                {"fd-share",
                 N_("silent connections, in permille of the process's limit of descriptors"),
                 UNIT_COUNT,
                 {200, 500},
                 "own"},
            [UNANSWERED] = {"unanswered",
                            N_("connections to one remote that acknowledges nothing"),
                            UNIT_COUNT,
                            {3, 100},
                            "own"},
            [TRIES] = {"tries",
                       N_("data were sent again so often without an answer"),
                       UNIT_COUNT,
                       {6, LIMIT_NEVER},
                       "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "A connection is nothing but what both sides remember of it. When one side disappears "
        "without a word (power, network, a firewall or NAT that forgets) the other stays "
        "established. If it sends, it notices after net.ipv4.tcp_retries2 tries (about 15 "
        "minutes); "
        "if it does not, never, unless the program has switched on SO_KEEPALIVE: then the kernel "
        "asks after net.ipv4.tcp_keepalive_time (2 hours).\n"
        "Measured: established connections without any timer on which no data went either way, by "
        "process, as a share of its limit of descriptors; and by remote those whose data was sent "
        "again and again and never acknowledged. Idle connections are no fault by themselves; that "
        "they use up descriptors is."),
    .sources = "RFC 1122 4.2.3.6; Documentation/networking/ip-sysctl.rst (tcp_keepalive_time, "
               "tcp_retries2); man 7 tcp",
    .narrow = narrow,
    .suspects = suspects,
    .run = run,
};
