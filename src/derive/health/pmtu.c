/* SPDX-License-Identifier: MIT */
/* pmtu: connections whose large segments are lost as no router says that they are too large. */
#include "derive/health/pmtu.h"

#include "derive/health/health.h"
#include "derive/health/remote.h"
#include "derive/health/tally.h"

/* Headers of IPv6 and TCP with all options: what lies between a full segment and the path MTU. */
#define HEADERS_MAX 100
#define TRIES_LEAST 2
#define SMALL_PART 4 /* of a full segment; on average, as the kernel does not tell more */

enum limit_of_pmtu {
    SINCE,
};

static const struct advice advice[] = {{
    .cause = N_("full segments to {peer} vanish and small ones pass: a link on the way takes only "
                "smaller packets, and the message of its router that says so (ICMP fragmentation "
                "needed, or packet too big) does not come here"),
    .fix =
        {N_("let ICMP pass: type 3 code 4, for IPv6 type 2, at each firewall on the way"),
         N_("where the small link is known (a tunnel, PPPoE): its MTU at the interface or route, "
            "or clamp the MSS to it at the router"),
         N_("until then sysctl net.ipv4.tcp_mtu_probing=1: the kernel finds out by itself what "
            "passes"),
         NULL},
    .avoid = {N_("a smaller MTU for everything: it costs each connection something, and helps only "
                 "packets that leave here"),
              N_("blocking all ICMP for security: it is what makes this fault"), NULL},
    .next = {"nwho ls{in} dst {peer} -o +mss,pmtu,unacked,timer", "nwho routes{in} {peer}",
             "nwho stats{in} IcmpMsgInType3 -a", NULL},
}};

bool pmtu_is_black_hole(const struct snapshot *snapshot, const struct socket *socket)
{
    const struct tcp_details *tcp = snapshot_tcp(snapshot, socket);
    uint64_t outstanding, acked;

    if (!tcp || tcp->known < TCP_INFO_BYTES_RETRANS || socket->timer != TIMER_RETRANSMIT ||
        socket->retransmits < TRIES_LEAST || !tcp->mss || tcp->lost < tcp->unacked ||
        tcp->mss + HEADERS_MAX < tcp->pmtu || socket->send_q < tcp->mss)
        return false;
    /* Something went either way (the SYN counts as a byte), and it was small. */
    if (tcp->bytes_acked <= 1 && !tcp->bytes_received)
        return false;
    outstanding = (uint64_t)tcp->total_retrans + tcp->unacked;
    acked = tcp->data_segs_out > outstanding ? tcp->data_segs_out - outstanding : 0;
    return tcp->bytes_acked <= tcp->mss || tcp->bytes_acked <= acked * tcp->mss / SMALL_PART;
}

/* Whether the remote has acknowledged other data since this was first lost: it is alive. */
static bool is_alive(const struct snapshot *now, const struct socket *socket, uint32_t since_ms)
{
    for (uint32_t i = 0; i < now->sockets_count; i++) {
        const struct tcp_details *tcp = snapshot_tcp(now, &now->sockets[i]);

        if (tcp && now->sockets[i].state == STATE_ESTABLISHED &&
            remote_key(&now->sockets[i], false) == remote_key(socket, false) &&
            tcp->last_ack_recv_ms < since_ms)
            return true;
    }
    return false;
}

static int say(struct examination *examination, const struct tally_item *item)
{
    const struct socket *socket = &examination->now->sockets[item->example];
    const struct tcp_details *tcp = snapshot_tcp(examination->now, socket);
    enum severity severity = health_judge(examination, SINCE, item->largest);
    struct subject subject = health_subject(examination, item->example);
    struct change told;
    int r;

    /* A remote that is gone looks alike where it never got anything large before. */
    if (severity == SEVERITY_CRIT && !is_alive(examination->now, socket, (uint32_t)item->largest))
        severity = SEVERITY_WARN;
    if (severity == SEVERITY_OK)
        return 0;
    subject.acts = true;
    health_say(examination,
               item->count == 1 ? N_("has {1} connection whose segments of {2} bytes never arrive, "
                                     "though small ones do; for {3}")
                                : N_("has {1} connections whose segments of {2} bytes never "
                                     "arrive, though small ones do; for {3}"),
               fact_count(item->count), fact_count(tcp->mss), fact_duration(item->largest * 1000));
    r = health_add(examination, severity, 0, &subject, item->largest);
    if (r == 0)
        r = health_prove_number(examination, "since anything was acknowledged",
                                "tcp_info last_ack_recv", UNIT_MILLISECONDS, item->largest,
                                examination->limits[SINCE].warn);
    if (r == 0)
        r = health_prove_number(examination, "mss", "tcp_info", UNIT_BYTES, tcp->mss, LIMIT_NEVER);
    if (r == 0)
        r = health_prove_number(examination, "pmtu", "tcp_info", UNIT_BYTES, tcp->pmtu,
                                LIMIT_NEVER);
    if (r == 0)
        r = health_prove_number(examination, "tries", "sock_diag", UNIT_COUNT, socket->retransmits,
                                TRIES_LEAST);
    told = health_counter(examination, socket->netns, "IcmpMsgInType3");
    return r < 0 || !told.known ? r
                                : health_prove_change(examination, "IcmpMsgInType3",
                                                      "/proc/net/snmp", &told, LIMIT_NEVER);
}

static int run(struct examination *examination)
{
    const struct snapshot *now = examination->now;
    CLEANUP(tally_done) struct tally remotes = {0};
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i];

        if (socket->proto == PROTO_TCP && pmtu_is_black_hole(now, socket))
            r = tally_add(&remotes, remote_key(socket, false),
                          snapshot_tcp(now, socket)->last_ack_recv_ms, i);
    }
    return r < 0 ? r : tally_say_worst(&remotes, say, examination);
}

static bool suspects(const struct examination *examination)
{
    for (uint32_t i = 0; i < examination->now->sockets_count; i++)
        if (examination->now->sockets[i].proto == PROTO_TCP &&
            pmtu_is_black_hole(examination->now, &examination->now->sockets[i]))
            return true;
    return false;
}

const struct check check_pmtu = {
    .name = "pmtu",
    .title = N_("connections whose large segments are lost as nobody says that they are too large"),
    .needs = NEED_SOCKETS | NEED_TCP_PROGRESS | NEED_OWNERS | NEED_COUNTERS,
    .before = NEED_COUNTERS,
    .glance = NEED_SOCKETS | NEED_TCP_PROGRESS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_CONNECTED,
    .signs = SIGN_TROUBLE,
    .thresholds = {[SINCE] = {"since",
                              N_("how long nothing was acknowledged"),
                              UNIT_MILLISECONDS,
                              {3000, 10000},
                              "own"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "TCP sends segments as large as the first link takes them, with a mark that they must not "
        "be cut. A router with a smaller link ahead throws them away and says by ICMP how much "
        "fits; "
        "the kernel then sends smaller ones. Where a firewall throws that message away the "
        "connection opens, small requests pass, and the first large answer hangs: a black hole.\n"
        "Measured: connections whose full segments (mss near pmtu) are all lost and sent again at "
        "least twice, and of which only small ones were acknowledged before. It is crit "
        "only when the remote answers other segments meanwhile. With net.ipv4.tcp_mtu_probing = 1 "
        "the kernel mends it: mss falls, and pmtu still shows the old value."),
    .sources = "RFC 1191; RFC 2923; RFC 4821; Documentation/networking/ip-sysctl.rst "
               "(tcp_mtu_probing)",
    .suspects = suspects,
    .run = run,
};
