/* SPDX-License-Identifier: MIT */
/* accept-queue: listeners that lose connections because nobody accepts them in time. */
#include "derive/health/health.h"
#include "derive/health/ills.h"

enum limit_of_accept_queue {
    FILLED,
    OVERFLOWS,
};

enum advice_of_accept_queue {
    NOT_ACCEPTING,
    TOO_SLOW,
    UNKNOWN_LISTENER,
};

static const struct advice advice[] = {
    [NOT_ACCEPTING] =
        {
            .cause =
                N_("{process} has not accepted a single connection meanwhile: it is blocked, or "
                   "waits for "
                   "something else"),
            .fix = {N_("look what {process} waits for (its stack, its log), and make it accept() "
                       "again"),
                    NULL},
            .avoid = {N_("a longer backlog: a queue that nobody empties fills up again"),
                      N_("net.ipv4.tcp_abort_on_overflow: clients are reset instead of being "
                         "served later"),
                      NULL},
            .next = {"nwho {local}{in}", "nwho {pid}{in}", "cat /proc/{pid}/stack", NULL},
        },
    [TOO_SLOW] =
        {
            .cause =
                N_("{process} accepts more slowly than connections come, or its backlog is too "
                   "short for bursts"),
            .fix =
                {N_("accept in a loop of its own, or by more workers of {process}"),
                 N_("a longer backlog in listen(), and net.core.somaxconn where that is shorter; "
                    "then restart "
                    "{process}"),
                 NULL},
            .avoid =
                {N_("net.core.somaxconn alone: the program's own backlog counts, and only from its "
                    "next listen() on"),
                 N_("net.ipv4.tcp_abort_on_overflow: clients are reset instead of being served "
                    "later"),
                 NULL},
            .next = {"nwho {local}{in}", "nwho stats{in} listen -a -d 5", NULL},
        },
    [UNKNOWN_LISTENER] =
        {
            .cause =
                N_("connections were thrown away before anybody accepted them; no accept queue "
                   "was full when "
                   "they were read, so that bursts fill one for moments only"),
            .fix = {N_("find the listener: watch the accept queues while it happens"), NULL},
            .avoid = {NULL},
            .next = {"nwho ports{in} --watch --sort accept_queue:desc", NULL},
        },
};

/* In permille; at a limit of 0 one connection may wait. */
static uint64_t filled(const struct socket *listener)
{
    return (uint64_t)listener->recv_q * 1000 / (listener->send_q ? listener->send_q : 1);
}

static bool is_listener(const struct socket *socket)
{
    return socket->proto == PROTO_TCP && socket->state == STATE_LISTENING &&
           socket->has & SOCKET_HAS_BACKLOG;
}

/* Whether all that waited at the beginning still wait: the first one comes out first. */
static bool stands_still(const struct examination *examination, uint32_t listener,
                         const struct socket *before)
{
    const struct snapshot *now = examination->now;
    uint32_t count = 0;

    for (uint32_t i = 0; i < now->sockets_count; i++) {
        const struct socket_join *joined = &examination->join->sockets[i];
        const struct socket *earlier;

        if (joined->reason != OWNER_ACCEPT_QUEUE || joined->listener != listener)
            continue;
        earlier = health_socket_before(examination, &now->sockets[i]);
        count += earlier && earlier->state != STATE_SYN_RECV;
    }
    return count >= before->recv_q;
}

/* As long as nothing is lost, and the queue goes on, it is only to know. */
static enum severity judge(const struct examination *examination, const struct change *overflows,
                           bool is_full, bool is_still)
{
    enum severity severity = is_full || is_still ? SEVERITY_WARN : SEVERITY_INFO;
    enum severity by_losses =
        is_full ? health_judge(examination, OVERFLOWS, overflows->rate) : SEVERITY_OK;

    return by_losses > severity ? by_losses : severity;
}

static int say_listener(struct examination *examination, uint32_t index,
                        const struct socket *before, const struct change *overflows)
{
    const struct socket *listener = &examination->now->sockets[index];
    struct subject subject = health_subject(examination, index);
    bool is_full = ill_accept_queue_full(listener);
    bool is_still = stands_still(examination, index, before);
    int r;

    health_say(examination, N_("{1} connections wait to be accepted, at most {2} may"),
               fact_count(listener->recv_q), fact_count(listener->send_q));
    if (is_full && overflows->delta)
        health_say(examination, N_("; {1} more were thrown away in {2}"),
                   fact_count(overflows->delta), fact_window(examination));
    r = health_add(examination, judge(examination, overflows, is_full, is_still),
                   is_still ? NOT_ACCEPTING : TOO_SLOW, &subject,
                   overflows->delta + listener->recv_q);
    if (r == 0)
        r = health_prove(examination, (struct evidence){
                                          .counter = "accept queue",
                                          .source = "sock_diag",
                                          .unit = UNIT_COUNT,
                                          .before = before->recv_q,
                                          .after = listener->recv_q,
                                          .rate = EVIDENCE_NONE,
                                          .threshold = listener->send_q,
                                      });
    if (r == 0)
        r = health_prove_change(examination, "TcpExtListenOverflows", "/proc/net/netstat",
                                overflows, examination->limits[OVERFLOWS].warn);
    return r;
}

/* Both times, as a burst may fill a queue for a moment. */
static int look_at_listeners(struct examination *examination, uint32_t netns,
                             const struct change *overflows, bool *ret_full)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i];
        const struct socket *before;

        if (socket->netns != netns || !is_listener(socket) ||
            health_judge(examination, FILLED, filled(socket)) == SEVERITY_OK)
            continue;
        before = health_socket_before(examination, socket);
        if (!before || health_judge(examination, FILLED, filled(before)) == SEVERITY_OK)
            continue;
        *ret_full = true;
        r = say_listener(examination, i, before, overflows);
    }
    return r;
}

static int say_unknown(struct examination *examination, uint32_t netns,
                       const struct change *overflows)
{
    enum severity severity = health_judge(examination, OVERFLOWS, overflows->rate);
    struct subject subject = SUBJECT_NONE;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject.netns = netns;
    health_say(examination, N_("{1} connections were thrown away in {2}"),
               fact_count(overflows->delta), fact_window(examination));
    r = health_add(examination, severity, UNKNOWN_LISTENER, &subject, overflows->delta);
    return r < 0 ? r
                 : health_prove_change(examination, "TcpExtListenOverflows", "/proc/net/netstat",
                                       overflows, examination->limits[OVERFLOWS].warn);
}

static int run(struct examination *examination)
{
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count && r == 0; netns++) {
        struct change overflows = health_counter(examination, netns, "TcpExtListenOverflows");
        bool full = false;

        r = look_at_listeners(examination, netns, &overflows, &full);
        if (r == 0 && !full)
            r = say_unknown(examination, netns, &overflows);
    }
    return r;
}

static bool loses_connections(const struct examination *examination, uint32_t netns)
{
    struct change overflows = health_counter(examination, netns, "TcpExtListenOverflows");

    return health_judge(examination, OVERFLOWS, overflows.rate) > SEVERITY_OK;
}

static bool suspects(const struct examination *examination)
{
    const struct snapshot *now = examination->now;

    for (uint32_t netns = 0; netns < now->netns_count; netns++)
        if (loses_connections(examination, netns))
            return true;
    for (uint32_t i = 0; i < now->sockets_count; i++)
        if (is_listener(&now->sockets[i]) &&
            health_judge(examination, FILLED, filled(&now->sockets[i])) > SEVERITY_OK)
            return true;
    return false;
}

const struct check check_accept_queue = {
    .name = "accept-queue",
    .title = N_("listeners that lose connections because nobody accepts them in time"),
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_COUNTERS,
    .before = NEED_SOCKETS | NEED_COUNTERS,
    .glance = NEED_SOCKETS | NEED_LISTENERS | NEED_COUNTERS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_LISTENING) | STATE_CONNECTED,
    .signs = SIGN_WAITING,
    .at_once = true,
    .thresholds =
        {
            [FILLED] = {"filled",
                        N_("permille of the backlog, both at the beginning and at the end"),
                        UNIT_COUNT,
                        {700, LIMIT_NEVER},
                        "own"},
            [OVERFLOWS] = {"overflows",
                           N_("connections thrown away in a second"),
                           UNIT_COUNT,
                           {1, 5},
                           "netdata tcp_listen.conf"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "A connection whose handshake is over waits in the accept queue of its listener "
        "until the process calls "
        "accept(). The queue holds one more than the backlog of listen(), which "
        "net.core.somaxconn (4096 since "
        "Linux 5.4) limits. When it is full the kernel throws away the last step of the "
        "handshake, and since 4.10 new "
        "connection requests too: clients see timeouts, not refusals.\n"
        "Measured: recv_q and send_q of each listening socket at both ends of the window: how "
        "many wait to be accepted, and the backlog (half-open connections are in neither); "
        "and ListenOverflows of its network namespace. Which listener an overflow belongs to "
        "is not counted: it is that whose queue is full. A queue that is nearly full, but goes on, "
        "is only to know."),
    .sources = "man 2 listen; Documentation/networking/ip-sysctl.rst; "
               "Documentation/networking/snmp_counter.rst",
    .suspects = suspects,
    .run = run,
};
