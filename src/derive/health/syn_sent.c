/* SPDX-License-Identifier: MIT */
/* syn-sent: requests for connections that nobody answers, by destination. */
#include "derive/health/health.h"
#include "derive/health/ills.h"
#include "derive/health/remote.h"
#include "derive/health/tally.h"

enum limit_of_syn_sent {
    SOCKETS,
    TRIES,
};

enum advice_of_syn_sent {
    NO_ANSWER,
    QUEUE_FULL,
};

static const struct advice advice[] = {
    [NO_ANSWER] =
        {
            .cause =
                "{peer} port {peer_port} answers nothing, not even a refusal: a firewall on "
                "the way throws the requests away, the machine is off or not reachable, or its "
                "accept queue is full",
            .fix = {"look whether {peer} is there and from where its port {peer_port} can be "
                    "reached; then at the firewalls on the way and the accept queue there",
                    "give {process} a short timeout for connect(), and a limit of tries", NULL},
            .avoid =
                {"net.ipv4.tcp_syn_retries: fewer tries give up earlier, but get no answer "
                 "either",
                 "more tries at the same time by {process}: where a queue is full they keep it "
                 "full",
                 NULL},
            .next = {"nwho ls{in} state syn-sent dst {peer}", "nwho routes{in} {peer}",
                     "nwho doctor{in} accept-queue", NULL},
        },
    [QUEUE_FULL] =
        {
            .cause = "the accept queue of the listener at port {peer_port}, which is on this "
                     "machine, is full, and the kernel throws requests away",
            .fix = {"make that process accept: see what accept-queue says", NULL},
            .avoid = {"more tries by {process}: they keep the queue full", NULL},
            .next = {"nwho doctor{in} accept-queue", "nwho :{peer_port}{in}", NULL},
        },
};

static int count_sockets(const struct examination *examination, struct tally *remotes)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i];

        if (socket->proto == PROTO_TCP && socket->state == STATE_SYN_SENT &&
            health_judge(examination, TRIES, socket->retransmits) > SEVERITY_OK)
            r = tally_add(remotes, remote_key(socket, true), socket->retransmits, i);
    }
    return r;
}

static bool is_queue_full(const struct snapshot *snapshot, const struct socket *socket)
{
    uint32_t listener = remote_listener(snapshot, socket);

    return listener != HEALTH_NONE && ill_accept_queue_full(&snapshot->sockets[listener]);
}

static int say(struct examination *examination, const struct tally_item *item)
{
    const struct socket *socket = &examination->now->sockets[item->example];
    enum severity severity = health_judge(examination, SOCKETS, item->count);
    struct subject subject;
    struct change again;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject = health_subject(examination, item->example);
    again = health_counter(examination, socket->netns, "TcpExtTCPSynRetrans");
    buf_printf(&examination->text, "waits for an answer to %u requests for connections to ",
               item->count);
    buf_address(&examination->text, socket->family, socket->peer.bytes);
    buf_printf(&examination->text, " port %u, asked up to %llu times", socket->peer_port,
               (unsigned long long)item->largest + 1);
    r = health_add(examination, severity,
                   is_queue_full(examination->now, socket) ? QUEUE_FULL : NO_ANSWER, &subject,
                   item->count);
    if (r == 0)
        r = health_prove_number(examination, "sockets in syn-sent", "sock_diag", UNIT_COUNT,
                                item->count, examination->limits[SOCKETS].warn);
    if (r == 0)
        r = health_prove_number(examination, "requests sent again, of the oldest", "sock_diag",
                                UNIT_COUNT, item->largest, examination->limits[TRIES].warn);
    return r < 0 ? r
                 : health_prove_change(examination, "TcpExtTCPSynRetrans", "/proc/net/netstat",
                                       &again, LIMIT_NEVER);
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally remotes = {0};
    int r = count_sockets(examination, &remotes);

    return r < 0 ? r : tally_say_worst(&remotes, say, examination);
}

const struct check check_syn_sent = {
    .name = "syn-sent",
    .title = "requests for connections that nobody answers, by destination",
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_COUNTERS,
    .before = NEED_COUNTERS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_LISTENING),
    .thresholds =
        {
            [SOCKETS] = {"sockets",
                         "unanswered connections to one port of one remote",
                         UNIT_COUNT,
                         {3, 100},
                         "own"},
            [TRIES] = {"again",
                       "a request counts as unanswered when it was sent again so often",
                       UNIT_COUNT,
                       {2, LIMIT_NEVER},
                       "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        "A request for a connection (SYN) is sent again after 1 s when no answer comes, and again "
        "(net.ipv4.tcp_syn_retries, 6) for about two minutes; all the time the socket is in "
        "SYN-SENT. A machine without such a listener refuses at once (RST), and a router that "
        "knows "
        "no way says so by ICMP. No answer at all is a firewall that drops, a dead machine, or, "
        "since Linux 4.10, a listener whose accept queue is full.\n"
        "Measured: TCP sockets in syn-sent whose request was sent again at least twice (2 to 3 s), "
        "by address and port of the remote.",
    .sources = "RFC 6298; Documentation/networking/ip-sysctl.rst (tcp_syn_retries); man 2 connect",
    .run = run,
};
