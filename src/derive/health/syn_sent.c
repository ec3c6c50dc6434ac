/* SPDX-License-Identifier: MIT */
/* syn-sent: requests for connections that nobody answers, by destination. */
#include "derive/health/health.h"
#include "derive/health/ills.h"
#include "derive/health/remote.h"
#include "derive/health/tally.h"

#include <linux/neighbour.h>
#include <sys/socket.h>

/* Its address of the link layer is known, and packets are sent there. */
#define HOP_KNOWN (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

enum limit_of_syn_sent {
    SOCKETS,
    TRIES,
};

enum advice_of_syn_sent {
    NO_ANSWER,
    QUEUE_FULL,
    NO_NEIGHBOUR,
};

static const struct advice advice[] = {
    [NO_ANSWER] =
        {
            .cause =
                N_("{peer} port {peer_port} answers nothing, not even a refusal: a firewall on "
                   "the way throws the requests away, the machine is off or not reachable, or its "
                   "accept queue is full"),
            .fix = {N_("look whether {peer} is there and from where its port {peer_port} can be "
                       "reached; then at the firewalls on the way and the accept queue there"),
                    N_("give {process} a short timeout for connect(), and a limit of tries"), NULL},
            .avoid =
                {N_("net.ipv4.tcp_syn_retries: fewer tries give up earlier, but get no answer "
                    "either"),
                 N_("more tries at the same time by {process}: where a queue is full they keep it "
                    "full"),
                 NULL},
            .next = {"nwho ls{in} state syn-sent dst {peer}", "nwho routes{in} {peer}",
                     "nwho doctor{in} accept-queue", NULL},
        },
    [QUEUE_FULL] =
        {
            .cause = N_("the accept queue of the listener at port {peer_port}, which is on this "
                        "machine, is full, and the kernel throws requests away"),
            .fix = {N_("make that process accept: see what accept-queue says"), NULL},
            .avoid = {N_("more tries by {process}: they keep the queue full"), NULL},
            .next = {"nwho doctor{in} accept-queue", "nwho :{peer_port}{in}", NULL},
        },
    [NO_NEIGHBOUR] =
        {
            .cause = N_("nobody in the network of {iface} answers for {peer} (ARP, or neighbour "
                        "discovery of IPv6), so that no request gets out: {peer} is off, has "
                        "another address, or is not in that network"),
            .fix =
                {N_("look after {peer}: power, cable, VLAN, its address"),
                 N_("compare address and prefix of {iface} with that network: what is within the "
                    "prefix is asked for there, and not at a router"),
                 N_("where {peer} is a router: a route by way of another one"), NULL},
            .avoid =
                {N_("searching firewalls on the way: no packet has got as far as that"),
                 N_("an entry of the table of neighbours by hand: it only hides that nobody is "
                    "there"),
                 NULL},
            .next = {"nwho ls{in} state syn-sent", "nwho routes{in} {peer}", "nwho if{in} {iface}",
                     NULL},
        },
};

/* Requests that nobody answers. */
struct requests {
    struct tally remotes; /* by destination */
    struct tally hops;    /* by the next hop, where that is not found */
};

static void requests_done(struct requests *requests)
{
    tally_done(&requests->remotes);
    tally_done(&requests->hops);
}

static int count_socket(const struct examination *examination, uint32_t index,
                        struct requests *requests)
{
    const struct socket *socket = &examination->now->sockets[index];
    const struct next_hop *hop = remote_next_hop(examination->now, socket);

    if (hop && hop->state & (NUD_INCOMPLETE | NUD_FAILED))
        return tally_add(&requests->hops, remote_hop_key(hop), socket->retransmits, index);
    if (health_judge(examination, TRIES, socket->retransmits) == SEVERITY_OK)
        return 0;
    return tally_add(&requests->remotes, remote_key(socket, true), socket->retransmits, index);
}

static int count_sockets(const struct examination *examination, struct requests *requests)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++)
        if (now->sockets[i].proto == PROTO_TCP && now->sockets[i].state == STATE_SYN_SENT)
            r = count_socket(examination, i, requests);
    return r;
}

static bool is_queue_full(const struct snapshot *snapshot, const struct socket *socket)
{
    uint32_t listener = remote_listener(snapshot, socket);

    return listener != HEALTH_NONE && ill_accept_queue_full(&snapshot->sockets[listener]);
}

static int prove(struct examination *examination, const struct tally_item *item,
                 const struct next_hop *hop)
{
    const struct socket *socket = &examination->now->sockets[item->example];
    struct change again = health_counter(examination, socket->netns, "TcpExtTCPSynRetrans");
    int r = health_prove_number(examination, "sockets in syn-sent", "sock_diag", UNIT_COUNT,
                                item->count, examination->limits[SOCKETS].warn);

    if (r == 0)
        r = health_prove_number(examination, "requests sent again, of the oldest", "sock_diag",
                                UNIT_COUNT, item->largest, examination->limits[TRIES].warn);
    if (r == 0 && hop && hop->state)
        r = health_prove_number(examination, "state of the next hop (NUD_*)",
                                "rtnetlink RTM_GETNEIGH", UNIT_NONE, hop->state, LIMIT_NEVER);
    return r < 0 ? r
                 : health_prove_change(examination, "TcpExtTCPSynRetrans", "/proc/net/netstat",
                                       &again, LIMIT_NEVER);
}

static int say_remote(struct examination *examination, const struct tally_item *item)
{
    const struct socket *socket = &examination->now->sockets[item->example];
    enum severity severity = health_judge(examination, SOCKETS, item->count);
    const struct next_hop *hop = remote_next_hop(examination->now, socket);
    struct subject subject = health_subject(examination, item->example);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject.acts = true;
    health_say(examination,
               N_("waits for an answer to {1} requests for connections to {2} port {3}, asked up "
                  "to {4} times"),
               fact_count(item->count), fact_address(socket->family, socket->peer.bytes),
               fact_count(socket->peer_port), fact_count(item->largest + 1));
    if (hop && hop->state & HOP_KNOWN)
        health_say(examination, N_("; they leave by a next hop that is there, nothing comes back"));
    r = health_add(examination, severity,
                   is_queue_full(examination->now, socket) ? QUEUE_FULL : NO_ANSWER, &subject,
                   item->count);
    return r < 0 ? r : prove(examination, item, hop);
}

static uint32_t interface_of(const struct snapshot *snapshot, const struct next_hop *hop)
{
    const struct interface *interface = snapshot_interface(snapshot, hop->netns, hop->ifindex);

    return interface ? (uint32_t)(interface - snapshot->interfaces) : HEALTH_NONE;
}

/* The other side is the next hop, whatever is behind it. */
static int say_hop(struct examination *examination, const struct tally_item *item)
{
    const struct snapshot *now = examination->now;
    const struct next_hop *hop = remote_next_hop(now, &now->sockets[item->example]);
    enum severity severity = health_judge(examination, SOCKETS, item->count);
    struct subject subject = health_subject(examination, item->example);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject.interface = interface_of(now, hop);
    subject.peer = hop->address;
    subject.peer_family = (uint8_t)hop->address_family;
    subject.peer_prefix = hop->address_family == AF_INET6 ? 128 : 32;
    subject.peer_port = 0;
    subject.acts = true;
    health_say(examination, N_("wants {1} connections by way of {2}, which nobody answers for"),
               fact_count(item->count), fact_address(hop->address_family, hop->address.bytes));
    r = health_add(examination, severity, NO_NEIGHBOUR, &subject, item->count);
    return r < 0 ? r : prove(examination, item, hop);
}

static int run(struct examination *examination)
{
    CLEANUP(requests_done) struct requests requests = {.hops = {.count = 0}};
    int r = count_sockets(examination, &requests);

    if (r == 0)
        r = tally_say_worst(&requests.hops, say_hop, examination);
    return r < 0 ? r : tally_say_worst(&requests.remotes, say_remote, examination);
}

static bool suspects(const struct examination *examination)
{
    uint32_t count = health_count(examination, STATE_BIT(STATE_SYN_SENT));

    return health_judge(examination, SOCKETS, count) > SEVERITY_OK;
}

const struct check check_syn_sent = {
    .name = "syn-sent",
    .title = N_("requests for connections that nobody answers, by destination"),
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_COUNTERS | NEED_NEXT_HOPS |
             NEED_INTERFACES,
    .before = NEED_COUNTERS,
    .glance = NEED_SOCKETS | NEED_LISTENERS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_LISTENING),
    .thresholds =
        {
            [SOCKETS] = {"sockets",
                         N_("unanswered connections to one port of one remote"),
                         UNIT_COUNT,
                         {3, 100},
                         "own"},
            [TRIES] = {"again",
                       N_("a request counts as unanswered when it was sent again so often"),
                       UNIT_COUNT,
                       {2, LIMIT_NEVER},
                       "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "A request for a connection (SYN) is sent again after 1 s when no answer comes, and again "
        "(net.ipv4.tcp_syn_retries, 6) for about two minutes; all the time the socket is in "
        "SYN-SENT. A machine without such a listener refuses at once (RST), and a router that "
        "knows no way says so by ICMP. No answer at all is a firewall that drops, a dead machine, "
        "or, since Linux 4.10, a listener whose accept queue is full.\n"
        "Before that the next hop, the machine itself or a router, has to be found in the own "
        "network by ARP or neighbour discovery. When nobody answers for it three times, a second "
        "apart, the connection fails after 3 s with \"no route to host\" (EHOSTUNREACH), and the "
        "request was never sent; who tries again and again is never seen to wait longer.\n"
        "Measured: TCP sockets in syn-sent whose request was sent again at least twice (2 to 3 s), "
        "by address and port of the remote; and those of them, however young, whose next hop is in "
        "the kernel's table of neighbours as incomplete or failed, by that hop."),
    .sources = "RFC 6298; RFC 826; RFC 4861; Documentation/networking/ip-sysctl.rst "
               "(tcp_syn_retries, neigh/*/mcast_solicit); man 2 connect",
    .suspects = suspects,
    .run = run,
};
