/* SPDX-License-Identifier: MIT */
/* exposed: services without a password of their own that other machines can reach. */
#include "derive/address.h"
#include "derive/health/health.h"

#include <sys/socket.h>

static const struct advice advice[] = {{
    .cause = "{process} listens for everybody on the port of a service that usually asks for no "
             "password, and is meant for its own machine or network only",
    .fix =
        {"let it listen on 127.0.0.1, or on the address of an inner network alone, and restart it",
         "where others need it: a password or certificates, and a firewall that lets only them in",
         NULL},
    .avoid = {"another port: scanners try all of them",
              "docker's -p PORT:PORT behind ufw or firewalld: docker's own rules come first; "
              "publish 127.0.0.1:PORT:PORT",
              NULL},
    .next = {"nwho {local}{in}", "nwho ports{in} --exposed", "nwho ls{in} in sport {local}", NULL},
}};

/* Who can talk to them may read, change or run anything. */
static const struct service {
    uint16_t port;
    const char *name;
} services[] = {
    {2375, "Docker"},     {6379, "Redis"},    {9200, "Elasticsearch"},
    {11211, "memcached"}, {27017, "MongoDB"},
};

static const struct service *find_service(const struct socket *socket)
{
    if (socket->proto != PROTO_TCP || socket->state != STATE_LISTENING)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        if (services[i].port == socket->local_port)
            return &services[i];
    return NULL;
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

/* From the internet: a warning. From the own network: to know, and nothing in a container, whose
 * network is mostly its own. */
static enum severity judge(const struct snapshot *snapshot, const struct socket *socket)
{
    enum address_scope scope = address_scope(socket->family, &socket->local);

    if (scope == SCOPE_ANY && has_address(snapshot, socket, SCOPE_PUBLIC))
        scope = SCOPE_PUBLIC;
    else if (scope == SCOPE_ANY && has_address(snapshot, socket, SCOPE_PRIVATE))
        scope = SCOPE_PRIVATE;
    if (scope == SCOPE_PUBLIC)
        return SEVERITY_WARN;
    return scope == SCOPE_PRIVATE && snapshot->netns[socket->netns].flags & NETNS_INIT
               ? SEVERITY_INFO
               : SEVERITY_OK;
}

static int say(struct examination *examination, uint32_t index, const struct service *service)
{
    const struct socket *socket = &examination->now->sockets[index];
    enum severity severity = judge(examination->now, socket);
    struct subject subject = health_subject(examination, index);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    buf_printf(&examination->text, "port %u, that of %s, can be reached from %s", service->port,
               service->name, severity == SEVERITY_WARN ? "the internet" : "the network");
    r = health_add(examination, severity, 0, &subject, service->port);
    return r < 0
               ? r
               : health_prove_number(examination, "port that listens on a reachable address",
                                     "sock_diag, rtnetlink", UNIT_NONE, service->port, LIMIT_NEVER);
}

static int run(struct examination *examination)
{
    int r = 0;

    for (uint32_t i = 0; i < examination->now->sockets_count && r == 0; i++) {
        const struct service *service = find_service(&examination->now->sockets[i]);

        if (service)
            r = say(examination, i, service);
    }
    return r;
}

const struct check check_exposed = {
    .name = "exposed",
    .title = "services without a password of their own that other machines can reach",
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_ADDRESSES,
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        "Some services were made for a network of friends: whoever reaches Redis, memcached, "
        "MongoDB, Elasticsearch or the API of Docker on its plain port can mostly read "
        "everything and often run programs. They are scanned for all the time.\n"
        "Measured: listeners on these ports (2375, 6379, 9200, 11211, 27017) that are bound "
        "to a public address, or to every address where the namespace has a public one: a warning. "
        "Where there are only private addresses it is to know, and only in the first namespace: a "
        "container's network is its own. A firewall in front is not seen from here.",
    .sources = "https://redis.io/docs/latest/operate/oss_and_stack/management/security/; "
               "https://docs.docker.com/engine/security/protect-access/",
    .run = run,
};
