/* SPDX-License-Identifier: MIT */
/* exposed: listeners that other machines can reach and nobody meant to be: new ones, and those of
 * services without a password of their own. */
#include "derive/address.h"
#include "derive/baseline.h"
#include "derive/health/health.h"
#include "derive/health/tally.h"
#include "derive/port_range.h"

#include <sys/socket.h>

enum advice_of_exposed {
    UNPROTECTED,
    IS_NEW,
    NO_BASELINE,
};

static const struct advice advice[] = {
    [UNPROTECTED] =
        {
            .cause = N_(
                "{process} listens for everybody on the port of a service that often asks for no "
                "password, and is meant for its own machine or network only"),
            .fix =
                {N_("let it listen on 127.0.0.1, or on the address of an inner network alone, and "
                    "restart it"),
                 N_("where others need it: a password or certificates, and a firewall that lets "
                    "only them in"),
                 NULL},
            .avoid = {N_("another port: scanners try all of them"),
                      N_("docker's -p PORT:PORT behind ufw or firewalld: docker's own rules come "
                         "first; publish 127.0.0.1:PORT:PORT"),
                      NULL},
            .next = {"nwho {local}{in}", "nwho ports{in} --exposed", "nwho ls{in} in sport {local}",
                     NULL},
        },
    [IS_NEW] =
        {
            .cause = N_("{process} began to listen at {local} after the baseline was saved"),
            .fix =
                {N_("where it is meant: exposed.allow in nwho.conf, or a new baseline (nwho ports "
                    "--save-baseline)"),
                 N_("where only this machine needs it: let {process} listen on 127.0.0.1"),
                 N_("where nobody knows it: ask who started {process}, then stop it"), NULL},
            .avoid = {N_("saving a new baseline before it is known what this is"), NULL},
            .next = {"nwho {local}{in}", "nwho ports{in} --exposed", "nwho ls{in} in sport {local}",
                     NULL},
        },
    [NO_BASELINE] =
        {
            .cause = N_("what is new, and what is only open, cannot be told from what is meant to "
                        "serve"),
            .fix = {N_("look through nwho ports --exposed; when all of it is meant, nwho ports "
                       "--save-baseline: from then on only what is new is told"),
                    N_("or name those that are meant in nwho.conf: exposed.allow = tcp/22 "
                       "tcp/443@nginx"),
                    NULL},
            .avoid = {NULL},
            .next = {"nwho ports{in} --exposed", NULL},
        },
};

/* Who can talk to them may read, change or run anything. */
static const struct service {
    uint16_t port;
    uint8_t proto;
    const char *name;
} services[] = {
    {2181, PROTO_TCP, "ZooKeeper"},     {2375, PROTO_TCP, "Docker"},
    {2379, PROTO_TCP, "etcd"},          {6379, PROTO_TCP, "Redis"},
    {8500, PROTO_TCP, "Consul"},        {9042, PROTO_TCP, "Cassandra"},
    {9200, PROTO_TCP, "Elasticsearch"}, {11211, PROTO_TCP, "memcached"},
    {11211, PROTO_UDP, "memcached"},    {27017, PROTO_TCP, "MongoDB"},
};

static const struct service *find_service(const struct socket *socket)
{
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        if (services[i].port == socket->local_port && services[i].proto == socket->proto)
            return &services[i];
    return NULL;
}

/* What waits for others. A UDP socket with a port that the kernel chose waits for answers. */
static bool is_listener(const struct snapshot *snapshot, const struct socket *socket)
{
    if (socket->proto == PROTO_TCP)
        return socket->state == STATE_LISTENING;
    return socket->proto == PROTO_UDP && socket->state == STATE_UNCONNECTED && socket->local_port &&
           !port_range_has(snapshot, socket->netns, socket->local_port);
}

/* Whether the namespace has an address of this scope by which the socket is reached. */
static bool has_address(const struct snapshot *snapshot, const struct socket *socket,
                        enum address_scope scope)
{
    bool both = socket->family == AF_INET6 &&
                !(socket->has & SOCKET_HAS_V6ONLY && socket->flags & SOCKET_V6ONLY);

    for (uint32_t i = 0; i < snapshot->link_addresses_count; i++) {
        const struct link_address *address = &snapshot->link_addresses[i];

        if (address->netns == socket->netns &&
            (address->family == socket->family || (both && address->family == AF_INET)) &&
            address_scope(address->family, &address->address) == scope)
            return true;
    }
    return false;
}

/* From where a listener can be reached: the internet, the own network, or (SCOPE_UNKNOWN) nowhere.
 * The network of a container is mostly its own. */
static enum address_scope reach_of(const struct snapshot *snapshot, const struct socket *socket)
{
    enum address_scope scope = address_scope(socket->family, &socket->local);

    if (scope == SCOPE_ANY && has_address(snapshot, socket, SCOPE_PUBLIC))
        return SCOPE_PUBLIC;
    if (scope == SCOPE_ANY && has_address(snapshot, socket, SCOPE_PRIVATE))
        scope = SCOPE_PRIVATE;
    if (scope == SCOPE_PUBLIC ||
        (scope == SCOPE_PRIVATE && snapshot->netns[socket->netns].flags & NETNS_INIT))
        return scope;
    return SCOPE_UNKNOWN;
}

static const char *reach_name(enum address_scope reach)
{
    return reach == SCOPE_PUBLIC ? N_("the internet") : N_("the network");
}

/* --- one reading --- */

struct survey {
    struct examination *examination;
    struct map known;    /* places of the baseline */
    struct map seen;     /* places that were told: sockets may share one */
    struct tally others; /* without a baseline: listeners by namespace */
    uint32_t told;
};

static int add_listener(struct survey *survey, uint32_t index, enum severity severity,
                        enum advice_of_exposed which)
{
    struct examination *examination = survey->examination;
    const struct socket *socket = &examination->now->sockets[index];
    struct subject subject = health_subject(examination, index);
    int r;

    if (survey->told++ >= FINDINGS_OF_CHECK) {
        examination->phrase_count = 0;
        return 0;
    }
    r = health_add(examination, severity, which, &subject, socket->local_port);
    return r < 0 ? r
                 : health_prove_number(examination, "port that listens on a reachable address",
                                       "sock_diag, rtnetlink", UNIT_NONE, socket->local_port,
                                       LIMIT_NEVER);
}

static int say_service(struct survey *survey, uint32_t index, const struct service *service,
                       enum severity severity, enum address_scope reach)
{
    health_say(survey->examination, N_("port {1}, that of {2}, can be reached from {3}"),
               fact_count(service->port), fact_word(service->name), fact_word(reach_name(reach)));
    return add_listener(survey, index, severity, UNPROTECTED);
}

static int say_new(struct survey *survey, uint32_t index, enum address_scope reach)
{
    const struct socket *socket = &survey->examination->now->sockets[index];

    health_say(survey->examination,
               N_("{1} port {2} can be reached from {3}, and is not in the baseline"),
               fact_word(socket->proto == PROTO_TCP ? "TCP" : "UDP"),
               fact_count(socket->local_port), fact_word(reach_name(reach)));
    return add_listener(survey, index, SEVERITY_WARN, IS_NEW);
}

/* Since the baseline, where there is one. */
static bool is_new(const struct examination *examination, const struct map *known,
                   const struct socket *socket)
{
    return examination->plan->baseline &&
           map_get(known, baseline_place(examination->now, socket)) == MAP_NONE;
}

/* Of a listener that can be reached and is not allowed. */
static int judge(struct survey *survey, uint32_t index, enum address_scope reach)
{
    const struct examination *examination = survey->examination;
    const struct socket *socket = &examination->now->sockets[index];
    const struct service *service = find_service(socket);
    uint64_t place = baseline_place(examination->now, socket);
    bool has_baseline = examination->plan->baseline;
    bool new_here = is_new(examination, &survey->known, socket);
    enum severity severity = SEVERITY_INFO;

    if (map_get(&survey->seen, place) != MAP_NONE)
        return 0;
    if (map_set(&survey->seen, place, index) < 0)
        return -ENOMEM;
    if (new_here || (!has_baseline && reach == SCOPE_PUBLIC))
        severity = SEVERITY_WARN;
    if (service)
        return say_service(survey, index, service, severity, reach);
    if (new_here)
        return say_new(survey, index, reach);
    return has_baseline ? 0 : tally_add(&survey->others, socket->netns, 1, index);
}

static int look_at(struct survey *survey, uint32_t index)
{
    struct examination *examination = survey->examination;
    const struct snapshot *now = examination->now;
    enum address_scope reach = SCOPE_UNKNOWN;

    if (is_listener(now, &now->sockets[index]))
        reach = reach_of(now, &now->sockets[index]);
    if (reach == SCOPE_UNKNOWN)
        return 0;
    switch (allowed_find(examination->plan->allowed, examination->plan->allowed_count, now,
                         examination->join, index)) {
    case ALLOWED:
        return 0;
    case ALLOWED_IF_OWNER:
        health_skip(examination, N_("who listens is hidden, and exposed.allow asks: run as root"));
        return 0;
    case ALLOWED_NOT:
        break;
    }
    return judge(survey, index, reach);
}

static int say_others(struct survey *survey, const struct tally_item *item)
{
    struct examination *examination = survey->examination;
    const struct socket *socket = &examination->now->sockets[item->example];
    struct subject subject = SUBJECT_NONE;
    int r;

    subject.netns = socket->netns;
    health_say(
        examination,
        item->count == 1
            ? N_("{1} listener can be reached from {2}, and nothing says which are meant to be")
            : N_("{1} listeners can be reached from {2}, and nothing says which are meant to be"),
        fact_count(item->count), fact_word(reach_name(reach_of(examination->now, socket))));
    r = health_add(examination, SEVERITY_INFO, NO_BASELINE, &subject, 0);
    return r < 0
               ? r
               : health_prove_number(examination, "listeners on reachable addresses",
                                     "sock_diag, rtnetlink", UNIT_COUNT, item->count, LIMIT_NEVER);
}

static int index_baseline(const struct snapshot *baseline, struct map *known)
{
    int r = 0;

    for (uint32_t i = 0; baseline && i < baseline->sockets_count && r == 0; i++)
        r = map_set(known, baseline_place(baseline, &baseline->sockets[i]), i);
    return r;
}

static int run(struct examination *examination)
{
    struct survey survey = {.examination = examination};
    int r = index_baseline(examination->plan->baseline, &survey.known);
    uint32_t namespaces;

    for (uint32_t i = 0; i < examination->now->sockets_count && r == 0; i++)
        r = look_at(&survey, i);
    namespaces = tally_worst(&survey.others);
    for (uint32_t i = 0; i < namespaces && r == 0; i++)
        r = say_others(&survey, &survey.others.items[i]);
    map_done(&survey.known);
    map_done(&survey.seen);
    tally_done(&survey.others);
    return r;
}

/* Whoever has a place of its own in what is told, or is asked for by exposed.allow. */
static bool asks_owner(const struct examination *examination, const struct map *known,
                       uint32_t index)
{
    const struct snapshot *now = examination->now;
    const struct socket *socket = &now->sockets[index];

    if (!is_listener(now, socket) || reach_of(now, socket) == SCOPE_UNKNOWN)
        return false;
    switch (allowed_find(examination->plan->allowed, examination->plan->allowed_count, now,
                         examination->join, index)) {
    case ALLOWED:
        return false;
    case ALLOWED_IF_OWNER:
        return true;
    case ALLOWED_NOT:
        break;
    }
    return find_service(socket) || is_new(examination, known, socket);
}

static bool suspects(const struct examination *examination)
{
    CLEANUP(map_done) struct map known = {0};
    bool found = index_baseline(examination->plan->baseline, &known) < 0;

    for (uint32_t i = 0; i < examination->now->sockets_count && !found; i++)
        found = asks_owner(examination, &known, i);
    return found;
}

const struct check check_exposed = {
    .name = "exposed",
    .title = N_(
        "listeners that other machines can reach: new ones, and services often without a password"),
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_CGROUP | NEED_ADDRESSES |
             NEED_PORT_RANGE,
    .glance = NEED_SOCKETS | NEED_LISTENERS | NEED_ADDRESSES | NEED_PORT_RANGE,
    .protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
    .states = STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_UNCONNECTED),
    .at_once = true,
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "Whatever listens on a reachable address is scanned within minutes. Nobody but you knows "
        "which listeners are meant, so say it once: nwho ports --save-baseline keeps those of now, "
        "and each one that appears later is a warning; exposed.allow in nwho.conf names those that "
        "are always right: tcp/22, tcp/443@nginx, tcp/10.0.0.1:5432, udp/60000-61000 (protocol, "
        "port or ports, before them an address, behind them a process or a unit). Without a "
        "baseline it is told how many there are.\n"
        "Some services were made for a network of friends: whoever reaches Redis, memcached, "
        "MongoDB, Elasticsearch, Cassandra, etcd, ZooKeeper, Consul or the API of Docker on its "
        "plain port can mostly read everything and often run programs, unless a password was "
        "set. These ports are a warning when they are not in the baseline, and without one when "
        "the internet reaches them; else they are to know.\n"
        "Measured: TCP listeners, and UDP sockets whose port the kernel did not choose, that are "
        "bound to a public address, or to every address where the namespace has a public one. "
        "Where there are only private addresses that is the network, and counts in the first "
        "namespace alone: a container's network is its own. A firewall in front is not seen from "
        "here."),
    .sources = "https://redis.io/docs/latest/operate/oss_and_stack/management/security/; "
               "https://docs.docker.com/engine/security/protect-access/",
    .suspects = suspects,
    .run = run,
};
