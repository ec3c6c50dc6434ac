/* SPDX-License-Identifier: MIT */
/* syn-flood: listeners whose SYN queue is full, by an attack or by too many real clients. */
#include "derive/health/health.h"

enum limit_of_syn_flood {
    REQUESTS,
    ANSWERED,
};

enum advice_of_syn_flood {
    ATTACK,
    OVERLOAD,
    COOKIES_OFF,
};

static const struct advice advice[] = {
    [ATTACK] =
        {
            .cause = N_("a SYN flood: requests for connections from addresses that never answer, "
                        "which are forged as a rule; the kernel serves real clients by SYN cookies "
                        "meanwhile"),
            .fix = {N_("leave net.ipv4.tcp_syncookies at 1: it is what keeps {process} reachable"),
                    N_("have the flood filtered before it comes here: by the provider, or by a "
                       "firewall that answers in place of port {port} (synproxy)"),
                    NULL},
            .avoid =
                {N_("a longer backlog or net.ipv4.tcp_max_syn_backlog: a flood fills any queue"),
                 N_("blocking single addresses: they are forged, and may be those of customers"),
                 NULL},
            .next = {"nwho count{in} peer/24 state syn-recv sport {port}",
                     "nwho stats{in} syncookies -a -d 5", NULL},
        },
    [OVERLOAD] =
        {
            .cause =
                N_("no attack: the clients answer. More of them connect at once than the backlog "
                   "of {process} has room for while their handshake goes on"),
            .fix =
                {N_("a longer backlog in listen(), and net.core.somaxconn where that is shorter; "
                    "then restart {process}"),
                 N_("fewer new connections: let clients keep theirs, or share the load"), NULL},
            .avoid =
                {N_("living with it: cookies are no help for busy servers, and connections made "
                    "by them lose window scaling and SACK where the client sends no timestamps"),
                 N_("net.ipv4.tcp_syncookies = 0: these clients would not get in at all"), NULL},
            .next = {"nwho {local}{in}", "nwho stats{in} syncookies -a -d 5", NULL},
        },
    [COOKIES_OFF] =
        {
            .cause =
                N_("the SYN queue of {process} is full, and as net.ipv4.tcp_syncookies is 0 the "
                   "kernel throws requests away, those of real clients too"),
            .fix = {N_("sysctl net.ipv4.tcp_syncookies=1; then this check tells whether it is an "
                       "attack"),
                    NULL},
            .avoid =
                {N_("a longer backlog or net.ipv4.tcp_max_syn_backlog alone: a flood fills any "
                    "queue"),
                 NULL},
            .next = {"nwho count{in} peer/24 state syn-recv sport {port}",
                     "nwho stats{in} listen -a -d 5", NULL},
        },
};

/* What a namespace did with requests that found the queue full. */
struct requests {
    struct change by_cookie, dropped, sent, received;
    uint64_t beyond, rate;
};

static struct requests count_requests(const struct examination *examination, uint32_t netns)
{
    struct requests requests = {
        .by_cookie = health_counter(examination, netns, "TcpExtTCPReqQFullDoCookies"),
        .dropped = health_counter(examination, netns, "TcpExtTCPReqQFullDrop"),
        .sent = health_counter(examination, netns, "TcpExtSyncookiesSent"),
        .received = health_counter(examination, netns, "TcpExtSyncookiesRecv"),
    };

    requests.beyond = requests.by_cookie.delta + requests.dropped.delta;
    requests.rate = requests.by_cookie.rate + requests.dropped.rate;
    return requests;
}

/* The listener with the longest SYN queue; HEALTH_NONE: none has one now. */
static uint32_t find_listener(const struct examination *examination, uint32_t netns)
{
    const struct snapshot *now = examination->now;
    uint32_t found = HEALTH_NONE, longest = 0;

    for (uint32_t i = 0; i < now->sockets_count; i++)
        if (now->sockets[i].netns == netns && now->sockets[i].state == STATE_LISTENING &&
            examination->join->sockets[i].syn_queue > longest) {
            longest = examination->join->sockets[i].syn_queue;
            found = i;
        }
    return found;
}

static int prove(struct examination *examination, const struct requests *requests,
                 uint32_t listener)
{
    static const char file[] = "/proc/net/netstat";
    int r = health_prove_change(examination, "TcpExtTCPReqQFullDoCookies", file,
                                &requests->by_cookie, examination->limits[REQUESTS].warn);

    if (r == 0)
        r = health_prove_change(examination, "TcpExtTCPReqQFullDrop", file, &requests->dropped,
                                examination->limits[REQUESTS].warn);
    if (r == 0)
        r = health_prove_change(examination, "TcpExtSyncookiesSent", file, &requests->sent,
                                LIMIT_NEVER);
    if (r == 0)
        r = health_prove_change(examination, "TcpExtSyncookiesRecv", file, &requests->received,
                                LIMIT_NEVER);
    if (r < 0 || listener == HEALTH_NONE)
        return r;
    return health_prove_number(examination, "SYN queue", "sock_diag", UNIT_COUNT,
                               examination->join->sockets[listener].syn_queue,
                               examination->now->sockets[listener].send_q);
}

static uint32_t choose_advice(const struct examination *examination,
                              const struct requests *requests)
{
    uint64_t sent = requests->sent.delta;
    uint64_t answered = sent ? requests->received.delta * 1000 / sent : 0;

    if (!sent)
        return COOKIES_OFF;
    return health_judge(examination, ANSWERED, answered) == SEVERITY_OK ? ATTACK : OVERLOAD;
}

static int look_at_namespace(struct examination *examination, uint32_t netns)
{
    struct requests requests = count_requests(examination, netns);
    enum severity severity = health_judge(examination, REQUESTS, requests.rate);
    struct subject subject = SUBJECT_NONE;
    uint32_t listener;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    listener = find_listener(examination, netns);
    if (listener != HEALTH_NONE)
        subject = health_subject(examination, listener);
    subject.netns = netns;
    health_say(examination, N_("{1} requests for connections found the SYN queue full in {2}"),
               fact_count(requests.beyond), fact_window(examination));
    if (requests.sent.delta)
        health_say(examination, N_("; of {1} SYN cookies {2} came back"),
                   fact_count(requests.sent.delta), fact_count(requests.received.delta));
    r = health_add(examination, severity, choose_advice(examination, &requests), &subject,
                   requests.beyond);
    return r < 0 ? r : prove(examination, &requests, listener);
}

static int run(struct examination *examination)
{
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count && r == 0; netns++) {
        if (health_setting_number(examination, netns, "net.ipv4.tcp_syncookies", 1) == 2)
            health_skip(examination,
                        N_("where net.ipv4.tcp_syncookies is 2 every request is answered "
                           "by a cookie, and no queue is ever full"));
        else
            r = look_at_namespace(examination, netns);
    }
    return r;
}

static bool suspects(const struct examination *examination)
{
    for (uint32_t netns = 0; netns < examination->now->netns_count; netns++)
        if (health_judge(examination, REQUESTS, count_requests(examination, netns).rate) >
            SEVERITY_OK)
            return true;
    return false;
}

const struct check check_syn_flood = {
    .name = "syn-flood",
    .title = N_("listeners whose SYN queue is full, by an attack or by too many real clients"),
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_SYN_QUEUE | NEED_OWNERS | NEED_COUNTERS |
             NEED_SETTINGS,
    .before = NEED_COUNTERS,
    .glance = NEED_COUNTERS | NEED_SETTINGS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_LISTENING),
    .thresholds =
        {
            [REQUESTS] = {"requests",
                          N_("requests that found the SYN queue full, in a second"),
                          UNIT_COUNT,
                          {1, 5},
                          "netdata tcp_listen.conf"},
            [ANSWERED] = {"answered",
                          N_("permille of SYN cookies that come back when the clients are real"),
                          UNIT_COUNT,
                          {500, LIMIT_NEVER},
                          "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "A request for a connection (SYN) waits in the SYN queue of its listener until the client "
        "answers. That queue holds as many as the backlog of listen(). When it is full the kernel "
        "keeps nothing of further requests: it puts what it has to know into the number that the "
        "client has to send back, the SYN cookie (net.ipv4.tcp_syncookies = 1). Without cookies "
        "it throws requests away.\n"
        "A flood has forged senders, whose cookies never come back. Real clients send theirs "
        "back, however many there are: then the server is too slow or its backlog too short. The "
        "message \"Possible SYN flooding\" of the kernel says neither, and comes once for each "
        "listener.\n"
        "Measured: ReqQFullDoCookies and ReqQFullDrop of each network namespace, the share of "
        "SyncookiesRecv in SyncookiesSent, and the syn-recv sockets of each listener. Requests "
        "that "
        "are thrown away as the accept queue is full (since Linux 4.10) are those of "
        "accept-queue."),
    .sources = "Documentation/networking/ip-sysctl.rst (tcp_syncookies); "
               "Documentation/networking/snmp_counter.rst; RFC 4987",
    .suspects = suspects,
    .run = run,
};
