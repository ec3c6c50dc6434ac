/* SPDX-License-Identifier: MIT */
/* ports: destinations to which the local ports run out. */
#include "derive/address.h"
#include "derive/health/health.h"
#include "derive/health/remote.h"
#include "derive/health/tally.h"

#include <stdlib.h>
#include <string.h>

#define PORT_MAX 65535
#define TIME_WAIT_MS 60000
#define REUSE_AFTER_MS 1000

enum limit_of_ports {
    SHARE,
};

enum advice_of_ports {
    SHORT_CONNECTIONS,
    OPEN_CONNECTIONS,
};

static const struct advice advice[] = {
    [SHORT_CONNECTIONS] =
        {
            .cause =
                N_("a connection for each request to {peer} port {peer_port}: each occupies a "
                   "local port for 60 s after its end (time-wait), and they run out; connect() "
                   "then fails with EADDRNOTAVAIL"),
            .fix = {N_("keep connections (keep-alive, a pool) in {process}"),
                    N_("net.ipv4.tcp_tw_reuse=1: connect() may take a port again after a second in "
                       "time-wait (2, the default, does so on loopback only)"),
                    N_("more addresses or ports to connect to or from, or a wider "
                       "net.ipv4.ip_local_port_range"),
                    NULL},
            .avoid =
                {N_("counting time-wait of the whole machine against the range: each destination "
                    "has all the ports"),
                 N_("net.ipv4.tcp_fin_timeout: it is about fin-wait-2, and does not shorten "
                    "time-wait"),
                 N_("net.ipv4.tcp_tw_recycle (gone since Linux 4.12) or a low tcp_max_tw_buckets: "
                    "they break connections"),
                 NULL},
            .next = {"nwho count{in} state dst {peer} dport {peer_port}",
                     "nwho events{in} dst {peer} dport {peer_port} --for 10 --summary", NULL},
        },
    [OPEN_CONNECTIONS] =
        {
            .cause =
                N_("{process} and others have so many connections open to {peer} port {peer_port} "
                   "that the local ports run out; connect() then fails with EADDRNOTAVAIL"),
            .fix = {N_("close what is not used: a limit for the pool of {process}"),
                    N_("more addresses or ports to connect to or from, or a wider "
                       "net.ipv4.ip_local_port_range"),
                    NULL},
            .avoid = {N_("net.ipv4.tcp_tw_reuse: it is about time-wait, and these are open"), NULL},
            .next = {"nwho count{in} process,state dst {peer} dport {peer_port}",
                     "nwho ls{in} dst {peer} dport {peer_port} --sort last_send_ms:desc --limit 20",
                     NULL},
        },
};

/* When connect() takes a port that is in time-wait (net.ipv4.tcp_tw_reuse). */
enum reuse {
    REUSE_NEVER,
    REUSE_ALWAYS,
    REUSE_LOOPBACK, /* since 4.19, and the default */
};

/* Ports that connect() chooses from in a namespace. */
struct port_range {
    uint32_t low, high, usable; /* 0 usable: not known */
    enum reuse reuse;
};

/* How many ports of "8080,9000-9100" lie in the range. */
static uint32_t count_reserved(const char *text, const struct port_range *range)
{
    uint32_t count = 0;

    while (*text) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;

        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (end == text || first > last || last > PORT_MAX)
            return count;
        if (first < range->low)
            first = range->low;
        if (last > range->high)
            last = range->high;
        if (first <= last)
            count += (uint32_t)(last - first + 1);
        text = *end == ',' ? end + 1 : end;
    }
    return count;
}

static struct port_range range_of(const struct examination *examination, uint32_t netns)
{
    const struct netns *range = &examination->now->netns[netns];
    const struct setting *reserved =
        health_setting(examination, netns, "net.ipv4.ip_local_reserved_ports");
    struct port_range found = {0};
    uint32_t taken = 0;

    if (!(range->flags & NETNS_HAS_PORT_RANGE) || range->port_high > PORT_MAX ||
        range->port_low > range->port_high)
        return found;
    found.low = range->port_low;
    found.high = range->port_high;
    if (reserved)
        taken = count_reserved(snapshot_string(examination->now, reserved->text, NULL), &found);
    found.usable = found.high - found.low + 1 - taken;
    /* Timestamps are how the kernel tells late segments from new ones. */
    if (health_setting_number(examination, netns, "net.ipv4.tcp_timestamps", 1))
        found.reuse =
            health_setting_number(examination, netns, "net.ipv4.tcp_tw_reuse", REUSE_NEVER);
    return found;
}

/* In time-wait, and connect() may have its port all the same. */
static bool is_free(const struct socket *socket, const struct port_range *range)
{
    bool is_loopback = address_scope(socket->family, &socket->local) == SCOPE_LOOPBACK ||
                       address_scope(socket->family, &socket->peer) == SCOPE_LOOPBACK;

    return socket->state == STATE_TIME_WAIT && socket->has & SOCKET_HAS_TIMER &&
           socket->timer_ms + REUSE_AFTER_MS <= TIME_WAIT_MS &&
           (range->reuse == REUSE_ALWAYS || (range->reuse == REUSE_LOOPBACK && is_loopback));
}

static bool takes_port(const struct socket *socket, const struct port_range *range)
{
    return socket->proto == PROTO_TCP && socket->peer_port && socket->state != STATE_SYN_RECV &&
           socket->local_port >= range->low && socket->local_port <= range->high &&
           !is_free(socket, range);
}

/* Sockets with a local port of the range, by both addresses and the remote port, so that each has
 * a port of its own. The example has an owner where one has. */
static int count_sockets(const struct examination *examination, const struct port_range *ranges,
                         struct tally *routes)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i];
        const struct port_range *range = &ranges[socket->netns];
        bool is_open = socket->state != STATE_TIME_WAIT && socket->state != STATE_FIN_WAIT_2;

        if (range->usable && takes_port(socket, range))
            r = tally_add(routes, remote_route_key(socket), is_open, i);
    }
    return r;
}

/* In permille. */
static uint64_t share_of(const struct tally_item *item, const struct port_range *range)
{
    return (uint64_t)item->count * 1000 / range->usable;
}

static int say(struct examination *examination, const struct tally_item *item,
               const struct port_range *range)
{
    const struct socket *socket = &examination->now->sockets[item->example];
    uint64_t share = share_of(item, range);
    enum severity severity = health_judge(examination, SHARE, share);
    bool mostly_open = item->sum * 2 >= item->count;
    struct subject subject;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject = health_subject(examination, item->example);
    health_say(examination,
               N_("{1} of {2} local ports are taken for connections from {3} to {4} port {5}"),
               fact_count(item->count), fact_count(range->usable),
               fact_address(socket->family, socket->local.bytes),
               fact_address(socket->family, socket->peer.bytes), fact_count(socket->peer_port));
    health_say(examination, N_(", {1} of them by connections that are over"),
               fact_count(item->count - item->sum));
    r = health_add(examination, severity, mostly_open ? OPEN_CONNECTIONS : SHORT_CONNECTIONS,
                   &subject, share);
    if (r == 0)
        r = health_prove_number(examination, "local ports taken, in permille", "sock_diag",
                                UNIT_COUNT, share, examination->limits[SHARE].warn);
    if (r == 0)
        r = health_prove_number(examination, "local ports taken", "sock_diag", UNIT_COUNT,
                                item->count, range->usable);
    return r < 0 ? r
                 : health_prove_number(examination, "connections that are over", "sock_diag",
                                       UNIT_COUNT, item->count - item->sum, LIMIT_NEVER);
}

/* What is taken, and of what; `ranges` is as long as there are namespaces. */
struct taken {
    struct port_range *ranges;
    struct tally routes;
};

static void taken_done(struct taken *taken)
{
    free(taken->ranges);
    tally_done(&taken->routes);
}

/* To be ended also when it fails. 0 or -ENOMEM. */
static int count_taken(const struct examination *examination, struct taken *taken)
{
    uint32_t count = examination->now->netns_count;

    *taken = (struct taken){.ranges = calloc(count + 1u, sizeof(*taken->ranges))};
    if (!taken->ranges)
        return -ENOMEM;
    for (uint32_t netns = 0; netns < count; netns++)
        taken->ranges[netns] = range_of(examination, netns);
    return count_sockets(examination, taken->ranges, &taken->routes);
}

static const struct port_range *range_of_item(const struct examination *examination,
                                              const struct taken *taken,
                                              const struct tally_item *item)
{
    return &taken->ranges[examination->now->sockets[item->example].netns];
}

static int run(struct examination *examination)
{
    const struct snapshot *now = examination->now;
    CLEANUP(taken_done) struct taken taken;
    int r = count_taken(examination, &taken);
    uint32_t count = tally_worst(&taken.routes);

    for (uint32_t netns = 0; netns < now->netns_count && r == 0; netns++)
        if (!taken.ranges[netns].usable && now->netns[netns].flags & NETNS_READ)
            health_skip(examination,
                        N_("net.ipv4.ip_local_port_range could not be read everywhere"));
    for (uint32_t i = 0; i < count && r == 0; i++) {
        const struct tally_item *item = &taken.routes.items[i];

        r = say(examination, item, range_of_item(examination, &taken, item));
    }
    return r;
}

/* As many as all connections of the namespace are, at most, whatever their destination; or as the
 * busiest of all destinations has, where the glance could tell. */
static bool suspects_namespace(const struct examination *examination, uint32_t netns)
{
    static const char *const counters[] = {"SockTCPInuse", "SockTCPTw", "SockTCP6Inuse"};
    struct port_range range = range_of(examination, netns);
    uint64_t count = 0;

    if (!range.usable)
        return false;
    if (!health_counter(examination, netns, counters[0]).known)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        count += health_counter(examination, netns, counters[i]).after;
    if (examination->now->busiest_route && examination->now->busiest_route < count)
        count = examination->now->busiest_route;
    return health_judge(examination, SHARE, count * 1000 / range.usable) > SEVERITY_OK;
}

static bool suspects(const struct examination *examination)
{
    for (uint32_t netns = 0; netns < examination->now->netns_count; netns++)
        if (suspects_namespace(examination, netns))
            return true;
    return false;
}

/* Of many connections few destinations have most ports: whose they are is asked only then. */
static bool confirms(const struct examination *examination)
{
    CLEANUP(taken_done) struct taken taken;
    bool found = count_taken(examination, &taken) < 0;

    for (uint32_t i = 0; i < taken.routes.count && !found; i++) {
        const struct tally_item *item = &taken.routes.items[i];

        found =
            health_judge(examination, SHARE,
                         share_of(item, range_of_item(examination, &taken, item))) > SEVERITY_OK;
    }
    return found;
}

const struct check check_ports = {
    .name = "ports",
    .title = N_("destinations to which the local ports run out"),
    .needs = NEED_SOCKETS | NEED_OWNERS | NEED_COUNTERS | NEED_SETTINGS | NEED_PORT_RANGE,
    .glance = NEED_COUNTERS | NEED_SETTINGS | NEED_PORT_RANGE,
    .closer = NEED_SOCKETS | NEED_COUNTERS | NEED_SETTINGS | NEED_PORT_RANGE,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_ALL & ~(STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_SYN_RECV)),
    .at_once = true,
    .thresholds =
        {[SHARE] = {"share",
                    N_("permille of the local ports, for one own address and one port of a "
                       "remote"),
                    UNIT_COUNT,
                    {800, 950},
                    "own"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "connect() takes a local port of net.ipv4.ip_local_port_range (28232 by default) that no "
        "connection from the same address to the same address and port has. So each destination "
        "has all of them: many connections, or many in time-wait, to many destinations are no "
        "problem. When all are taken connect() fails with EADDRNOTAVAIL, and long before it gets "
        "slow, as the kernel has to look for a free one. No counter tells of it.\n"
        "A connection that was closed here first keeps its port for 60 s more: 28232 ports are 470 "
        "new connections a second. With net.ipv4.tcp_tw_reuse = 1, and on loopback with the "
        "default "
        "of 2, connect() takes such a port again after a second: these do not count here. Programs "
        "that bind() before connect() have fewer: the port must "
        "be free for all destinations, unless they set IP_BIND_ADDRESS_NO_PORT.\n"
        "Measured: TCP sockets with a local port of the range, by own address, remote address and "
        "remote port, against the range without net.ipv4.ip_local_reserved_ports, for each network "
        "namespace."),
    .sources = "Documentation/networking/ip-sysctl.rst (ip_local_port_range, "
               "ip_local_reserved_ports, tcp_tw_reuse); man 7 ip",
    .suspects = suspects,
    .confirms = confirms,
    .run = run,
};
