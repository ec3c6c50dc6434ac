/* SPDX-License-Identifier: MIT */
/* retrans: segments that are lost on the way, and towards whom. */
#include "derive/address.h"
#include "derive/health/health.h"
#include "derive/health/tally.h"

#include <string.h>
#include <sys/socket.h>

enum limit_of_retrans {
    SHARE,
    SEGMENTS,
};

static const struct advice advice[] = {{
    .cause =
        N_("segments get lost between here and {peer}: a full queue or a bad link on the way, or "
           "a limit of the "
           "provider's"),
    .fix = {N_("look for losses hop by hop: interfaces here, then the path to {peer}"),
            N_("where an interface here counts errors or drops, begin there"), NULL},
    .avoid =
        {N_("net.ipv4.tcp_retries2 and other limits: fewer tries lose connections, not losses"),
         N_("switching off SACK or timestamps: both make recovery from losses faster"), NULL},
    .next = {"nwho ls{in} host {peer} --sort bytes_retrans:desc -o +bytes_retrans,rtt_us,cwnd",
             "nwho if{in} -d 5", "nwho stats{in} retrans -a -d 5", NULL},
}};

/* Addresses of one /24 or /64 share their way. Sockets of IPv6 may have a peer of IPv4. */
static void take_network(struct subject *subject, const struct socket *socket)
{
    bool is_mapped = address_is_mapped(socket->family, &socket->peer);
    uint8_t prefix = socket->family == AF_INET || is_mapped ? 24 : 64;

    subject->peer = socket->peer;
    if (is_mapped)
        subject->peer.words[0] = socket->peer.words[3];
    memset(subject->peer.bytes + prefix / 8, 0, sizeof(subject->peer.bytes) - prefix / 8);
    subject->peer_family = is_mapped ? AF_INET : socket->family;
    subject->peer_prefix = prefix;
    subject->peer_port = 0;
}

/* Of IPv4 or IPv6: what is behind the prefix is 0. */
static uint64_t key_of(const struct subject *network)
{
    uint64_t key;

    memcpy(&key, network->peer.bytes, sizeof(key));
    return network->peer_family == AF_INET ? key : ~key;
}

/* The network that most was sent again to meanwhile. */
static int find_network(const struct examination *examination, uint32_t netns,
                        struct tally *networks)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i];
        const struct tcp_details *tcp = snapshot_tcp(now, socket), *before = NULL;
        const struct socket *earlier;
        struct subject network;
        uint64_t again;

        if (socket->netns != netns || !tcp || tcp->known < TCP_INFO_BYTES_RETRANS)
            continue;
        earlier = health_socket_before(examination, socket);
        if (earlier)
            before = snapshot_tcp(examination->before, earlier);
        again = tcp->bytes_retrans - (before ? before->bytes_retrans : 0);
        if (again == 0 || again > tcp->bytes_retrans)
            continue;
        take_network(&network, socket);
        r = tally_add(networks, key_of(&network), again, i);
    }
    return r;
}

static int prove(struct examination *examination, uint32_t netns, uint64_t share)
{
    static const char *const counters[] = {"TcpRetransSegs", "TcpExtTCPOrigDataSent",
                                           "TcpExtTCPDSACKRecv", "TcpExtTCPSpuriousRTOs",
                                           "TcpExtTCPSynRetrans"};
    int r = health_prove_number(examination, "lost segments, in permille of those with new data",
                                "from the counters below", UNIT_COUNT, share,
                                examination->limits[SHARE].warn);

    for (size_t i = 0; i < ARRAY_SIZE(counters) && r == 0; i++) {
        struct change change = health_counter(examination, netns, counters[i]);

        if (change.known)
            r = health_prove_change(examination, counters[i],
                                    i ? "/proc/net/netstat" : "/proc/net/snmp", &change,
                                    LIMIT_NEVER);
    }
    return r;
}

/* In permille of the segments with new data; 0 where these are too few. */
static uint64_t count_lost(const struct examination *examination, uint32_t netns)
{
    uint64_t again = health_counter(examination, netns, "TcpRetransSegs").delta;
    /* What the other side had already got, and requests for connections: check syn-sent. */
    uint64_t needless = health_counter(examination, netns, "TcpExtTCPDSACKRecv").delta +
                        health_counter(examination, netns, "TcpExtTCPSpuriousRTOs").delta +
                        health_counter(examination, netns, "TcpExtTCPSynRetrans").delta;
    uint64_t sent = health_counter(examination, netns, "TcpExtTCPOrigDataSent").delta;

    if (again <= needless || !sent || health_judge(examination, SEGMENTS, sent) == SEVERITY_OK)
        return 0;
    return (again - needless) * 1000 / sent;
}

static int look_at_namespace(struct examination *examination, uint32_t netns)
{
    CLEANUP(tally_done) struct tally networks = {0};
    struct subject subject = SUBJECT_NONE;
    const struct tally_item *worst = NULL;
    uint64_t share = count_lost(examination, netns);
    enum severity severity = health_judge(examination, SHARE, share);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    r = find_network(examination, netns, &networks);
    for (uint32_t i = 0; i < networks.count; i++)
        if (!worst || networks.items[i].sum > worst->sum)
            worst = &networks.items[i];
    subject.netns = netns;
    health_say(examination, N_("{1} of the segments are lost"), fact_permille(share));
    if (worst) {
        const struct socket *socket = &examination->now->sockets[worst->example];

        subject = health_subject(examination, worst->example);
        take_network(&subject, socket);
        health_say(examination, N_(", most towards {1}/{2} ({3} sent again)"),
                   fact_address(subject.peer_family, subject.peer.bytes),
                   fact_count(subject.peer_prefix), fact_bytes(worst->sum));
    }
    if (r == 0)
        r = health_add(examination, severity, 0, &subject, share);
    return r < 0 ? r : prove(examination, netns, share);
}

static bool suspects(const struct examination *examination)
{
    for (uint32_t netns = 0; netns < examination->now->netns_count; netns++)
        if (health_judge(examination, SHARE, count_lost(examination, netns)) > SEVERITY_OK)
            return true;
    return false;
}

static int run(struct examination *examination)
{
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count && r == 0; netns++)
        r = look_at_namespace(examination, netns);
    return r;
}

const struct check check_retrans = {
    .name = "retrans",
    .title = N_("segments that are lost on the way, and towards whom"),
    .needs = NEED_SOCKETS | NEED_TCP_PROGRESS | NEED_OWNERS | NEED_COUNTERS,
    .before = NEED_SOCKETS | NEED_TCP_PROGRESS | NEED_COUNTERS,
    .glance = NEED_COUNTERS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_CONNECTED,
    .signs = SIGN_TROUBLE,
    .thresholds =
        {
            [SHARE] = {"share",
                       N_("lost segments, in permille of those with new data"),
                       UNIT_COUNT,
                       {10, 50},
                       "own"},
            [SEGMENTS] = {"segments",
                          N_("with fewer segments meanwhile a share means nothing"),
                          UNIT_COUNT,
                          {1000, LIMIT_NEVER},
                          "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        N_("A segment that is not acknowledged in time, or that later ones overtake, is sent "
           "again. That costs "
           "bandwidth, and slows the connection down each time. Some are sent again "
           "needlessly, as they were "
           "only late: the other side says so (DSACK), and they are no losses.\n"
           "Measured: RetransSegs without SynRetrans, DSACKRecv and SpuriousRTOs, as a share of "
           "OrigDataSent (segments with "
           "new data; OutSegs has acknowledgements too), for each network namespace. Whom it "
           "concerns is told by the bytes "
           "that each connection sent again, by networks of 24 bits (IPv6: 64)."),
    .sources = "Documentation/networking/snmp_counter.rst; RFC 2883; RFC 6298",
    .suspects = suspects,
    .run = run,
};
