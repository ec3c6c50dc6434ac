/* SPDX-License-Identifier: MIT */
/* port-conflict: ports that are taken without being served, or that two programs serve by turns. */
#include "derive/health/health.h"
#include "derive/health/tally.h"
#include "derive/port_range.h"

#include <string.h>

enum advice_of_port_conflict {
    NOT_SERVED,
    DIVIDED,
};

static const struct advice advice[] = {
    [NOT_SERVED] =
        {
            .cause =
                N_("{process} has bound the port and does not listen on it: nobody else can use "
                   "it, and most tools do not show who has it"),
            .fix = {N_("let {process} listen, or close the socket"),
                    N_("a restart of {process} frees the port"), NULL},
            .avoid =
                {N_("waiting for TIME-WAIT: this port is taken by a process, for as long as it "
                    "lives"),
                 N_("SO_REUSEADDR in the program that cannot start: the other one has the port"),
                 NULL},
            .next = {"nwho why-busy tcp/{port}{in}", "nwho ls{in} state bound-inactive pid {pid}",
                     NULL},
        },
    [DIVIDED] =
        {
            .cause =
                N_("two programs listen on the same port and address with SO_REUSEPORT: the "
                   "kernel gives each connection to one of them, by its addresses and ports, so "
                   "that some clients get the wrong program"),
            .fix = {N_("stop the one that is not meant to serve this port, or give it another one"),
                    NULL},
            .avoid =
                {N_("trying again until it works: the same client gets another program with each "
                    "connection"),
                 NULL},
            .next = {"nwho {local}{in}", "nwho ports{in} sport {local} -o +exe,cmdline", NULL},
        },
};

/* A port that the kernel chose is of a program that is about to connect. */
static bool is_not_served(const struct examination *examination, const struct socket *socket)
{
    const struct socket *before = health_socket_before(examination, socket);

    return before && before->state == STATE_BOUND_INACTIVE &&
           !port_range_has(examination->now, socket->netns, socket->local_port);
}

static int say_not_served(struct examination *examination, uint32_t index)
{
    const struct socket *socket = &examination->now->sockets[index];
    struct subject subject = health_subject(examination, index);
    int r;

    if (!is_not_served(examination, socket))
        return 0;
    subject.acts = true;
    health_say(examination, N_("has port {1} bound, and serves nothing there"),
               fact_count(socket->local_port));
    r = health_add(examination, SEVERITY_INFO, NOT_SERVED, &subject, socket->local_port);
    return r < 0 ? r
                 : health_prove_number(examination, "port bound and not served",
                                       "sock_diag TCPF_BOUND_INACTIVE", UNIT_NONE,
                                       socket->local_port, LIMIT_NEVER);
}

static bool is_same_place(const struct socket *a, const struct socket *b)
{
    return a->netns == b->netns && a->local_port == b->local_port && a->family == b->family &&
           a->ifindex == b->ifindex && memcmp(&a->local, &b->local, sizeof(a->local)) == 0;
}

static uint64_t key_of(const struct socket *socket)
{
    uint64_t key =
        (uint64_t)socket->netns << 32 | (uint64_t)socket->local_port << 8 | socket->family;

    for (size_t i = 0; i < ARRAY_SIZE(socket->local.words); i++)
        key = (key ^ socket->local.words[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return (key ^ socket->ifindex) | 1;
}

static bool is_other_program(const struct examination *examination, uint32_t a, uint32_t b)
{
    uint32_t one = health_owner(examination, a), other = health_owner(examination, b);
    const struct process *processes = examination->now->processes;

    return one != HEALTH_NONE && other != HEALTH_NONE &&
           processes[one].has & processes[other].has & PROCESS_HAS_EXE &&
           processes[one].exe != processes[other].exe;
}

static int say_divided(struct examination *examination, uint32_t index)
{
    struct subject subject = health_subject(examination, index);
    int r;

    subject.acts = true;
    health_say(
        examination,
        N_("gets only a part of the connections to port {1}: another program listens there too"),
        fact_count(examination->now->sockets[index].local_port));
    r = health_add(examination, SEVERITY_WARN, DIVIDED, &subject, 0);
    return r < 0 ? r
                 : health_prove_number(examination, "programs that listen at one place",
                                       "sock_diag, /proc/PID/exe", UNIT_COUNT, 2, 2);
}

static int look_at_listener(struct examination *examination, uint32_t index, struct tally *places)
{
    const struct socket *sockets = examination->now->sockets;
    uint64_t key = key_of(&sockets[index]);
    uint32_t at = map_get(&places->index, key);
    uint32_t first = at < places->count ? places->items[at].example : index;

    /* The first one of a place stands for all; one word about a place is enough. */
    if (first != index && places->items[at].sum == 0 &&
        is_same_place(&sockets[first], &sockets[index]) &&
        is_other_program(examination, first, index)) {
        places->items[at].sum = 1;
        return say_divided(examination, index);
    }
    return tally_add(places, key, 0, index);
}

static int run(struct examination *examination)
{
    const struct snapshot *now = examination->now;
    CLEANUP(tally_done) struct tally places = {0};
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        if (now->sockets[i].proto != PROTO_TCP)
            continue;
        if (now->sockets[i].state == STATE_BOUND_INACTIVE)
            r = say_not_served(examination, i);
        else if (now->sockets[i].state == STATE_LISTENING)
            r = look_at_listener(examination, i, &places);
    }
    return r;
}

/* Whether several listen at one place: it takes their owners to tell whether that is meant. */
static bool is_shared(const struct socket *sockets, uint32_t index, struct tally *places)
{
    uint64_t key = key_of(&sockets[index]);

    return map_get(&places->index, key) != MAP_NONE || tally_add(places, key, 0, index) < 0;
}

static bool suspects(const struct examination *examination)
{
    const struct snapshot *now = examination->now;
    CLEANUP(tally_done) struct tally places = {0};

    for (uint32_t i = 0; i < now->sockets_count; i++) {
        const struct socket *socket = &now->sockets[i];

        if (socket->proto == PROTO_TCP &&
            (socket->state == STATE_LISTENING        ? is_shared(now->sockets, i, &places)
             : socket->state == STATE_BOUND_INACTIVE ? is_not_served(examination, socket)
                                                     : false))
            return true;
    }
    return false;
}

const struct check check_port_conflict = {
    .name = "port-conflict",
    .title = N_("ports that are taken without being served, or that two programs serve by turns"),
    .needs = NEED_SOCKETS | NEED_LISTENERS | NEED_OWNERS | NEED_EXE | NEED_PORT_RANGE,
    .before = NEED_SOCKETS,
    .glance = NEED_SOCKETS | NEED_LISTENERS | NEED_PORT_RANGE,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_BIT(STATE_BOUND_INACTIVE) | STATE_BIT(STATE_LISTENING),
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "bind() takes a port, listen() serves it. A process that has done only the first keeps "
        "everybody else from the port (\"address already in use\"), and is in none of the kernel's "
        "lists but that of sock_diag (since Linux 6.8).\n"
        "With SO_REUSEPORT several sockets of one user may listen on the same port, to share work "
        "among equal processes; each connection is given to one of them by a hash. Where they are "
        "different programs, clients get one or the other by chance.\n"
        "Measured: sockets bound at both ends of the window outside of the ports that the kernel "
        "chooses itself, and listeners of the same address and port with different programs."),
    .sources = "man 7 socket (SO_REUSEPORT); man 2 bind",
    .suspects = suspects,
    .run = run,
};
