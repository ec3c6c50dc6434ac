/* SPDX-License-Identifier: MIT */
/* udp-drops: datagrams that are thrown away because nobody reads them in time. */
#include "derive/health/health.h"
#include "derive/health/tally.h"

enum limit_of_udp_drops {
    DATAGRAMS,
};

enum advice_of_udp_drops {
    BUFFER_FULL,
    UNKNOWN_SOCKET,
};

#define NO_PROCESS (UINT64_C(1) << 32) /* in a key: the rest is the socket */

static const struct advice advice[] = {
    [BUFFER_FULL] =
        {
            .cause =
                N_("{process} reads more slowly than datagrams come, or they come in bursts that "
                   "its receive buffer cannot hold"),
            .fix = {N_("read faster: a loop that does nothing else, recvmmsg(), or several sockets "
                       "with SO_REUSEPORT"),
                    N_("a larger receive buffer against bursts: SO_RCVBUF in {process}, and "
                       "net.core.rmem_max where that is smaller"),
                    NULL},
            .avoid = {N_("a larger buffer alone where the reader is too slow for the average: it "
                         "fills up as well"),
                      N_("net.core.rmem_default without a restart: sockets that are open keep what "
                         "they have"),
                      N_("net.ipv4.udp_mem: it limits all sockets together, not this one"), NULL},
            .next = {"nwho ls{in} udp sport {local} -o +recv_q,drops,skmem_bytes",
                     "nwho stats{in} udp -a -d 5", NULL},
        },
    [UNKNOWN_SOCKET] =
        {
            .cause = N_("the sockets that lost these datagrams are closed again, or of the kernel: "
                        "none that is open has counted them"),
            .fix = {N_("find the socket while it happens: watch the drops of the sockets"), NULL},
            .next = {"nwho ls{in} udp --watch --sort drops:desc -o +drops",
                     "nwho stats{in} udp -a -d 5", NULL},
        },
};

/* Datagrams for which there was no room. */
static const char *const counters[] = {"UdpRcvbufErrors", "Udp6RcvbufErrors", "UdpMemErrors",
                                       "Udp6MemErrors"};

/* Sockets also count what their own filter refused, and wrong checksums: nobody misses those. */
static bool had_no_room(const struct examination *examination, uint32_t netns)
{
    uint64_t rate = 0;
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        struct change change = health_counter(examination, netns, counters[i]);

        known = known || change.known;
        rate += change.rate;
    }
    return !known || health_judge(examination, DATAGRAMS, rate) > SEVERITY_OK;
}

/* Datagrams that each process's sockets lost meanwhile, and those of each namespace. */
static int count_drops(const struct examination *examination, struct tally *processes,
                       struct tally *namespaces)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i], *before;
        uint32_t process, drops;

        if (socket->proto != PROTO_UDP || !(socket->has & SOCKET_HAS_DROPS))
            continue;
        before = health_socket_before(examination, socket);
        drops = socket->drops - (before ? before->drops : 0);
        if (drops == 0)
            continue;
        process = health_owner(examination, i);
        r = tally_add(processes, process == HEALTH_NONE ? NO_PROCESS | i : process, drops, i);
        if (r == 0)
            r = tally_add(namespaces, socket->netns, drops, i);
    }
    return r;
}

static int say_process(struct examination *examination, const struct tally_item *item)
{
    const struct socket *socket = &examination->now->sockets[item->example];
    const struct socket *before = health_socket_before(examination, socket);
    const struct socket_memory *memory = snapshot_memory(examination->now, socket);
    struct subject subject = health_subject(examination, item->example);
    uint64_t rate = health_rate(examination, item->sum);
    int r;

    if (health_judge(examination, DATAGRAMS, rate) == SEVERITY_OK ||
        !had_no_room(examination, socket->netns))
        return 0;
    health_say(examination, N_("{1} datagrams for port {2} were thrown away in {3}"),
               fact_count(item->sum), fact_count(socket->local_port), fact_window(examination));
    if (memory)
        health_say(examination, N_("; {1} of {2} wait to be read"), fact_bytes(memory->receive),
                   fact_bytes(memory->receive_limit));
    r = health_add(examination, health_judge(examination, DATAGRAMS, rate), BUFFER_FULL, &subject,
                   item->sum);
    if (r == 0)
        r = health_prove(examination, (struct evidence){
                                          .counter = "drops of the socket",
                                          .source = "sock_diag SK_MEMINFO_DROPS",
                                          .unit = UNIT_COUNT,
                                          .before = before ? before->drops : 0,
                                          .after = socket->drops,
                                          .rate = (int64_t)rate,
                                          .threshold = (int64_t)examination->limits[DATAGRAMS].warn,
                                      });
    if (r == 0 && memory)
        r = health_prove_number(examination, "receive memory", "sock_diag SK_MEMINFO_RMEM_ALLOC",
                                UNIT_BYTES, memory->receive, memory->receive_limit);
    return r;
}

/* What the namespace counts and no socket does. */
static int say_unknown(struct examination *examination, uint32_t netns)
{
    struct subject subject = SUBJECT_NONE;
    int r = 0;

    subject.netns = netns;
    for (size_t i = 0; i < ARRAY_SIZE(counters) && r == 0; i++) {
        struct change change = health_counter(examination, netns, counters[i]);
        enum severity severity = health_judge(examination, DATAGRAMS, change.rate);

        if (severity == SEVERITY_OK)
            continue;
        health_say(examination, N_("{1} datagrams were thrown away in {2}"),
                   fact_count(change.delta), fact_window(examination));
        r = health_add(examination, severity, UNKNOWN_SOCKET, &subject, change.delta);
        if (r == 0)
            r = health_prove_change(examination, counters[i],
                                    counters[i][3] == '6' ? "/proc/net/snmp6" : "/proc/net/snmp",
                                    &change, examination->limits[DATAGRAMS].warn);
    }
    return r;
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally processes = {0}, namespaces = {0};
    int r = count_drops(examination, &processes, &namespaces);

    for (uint32_t i = 0; i < processes.count && r == 0; i++)
        r = say_process(examination, &processes.items[i]);
    for (uint32_t i = 0; i < examination->now->netns_count && r == 0; i++)
        if (map_get(&namespaces.index, i) == MAP_NONE)
            r = say_unknown(examination, i);
    return r;
}

/* Where a namespace is gone neither counters nor sockets are known. */
static bool suspects(const struct examination *examination)
{
    for (uint32_t netns = 0; netns < examination->now->netns_count; netns++)
        if (health_counter(examination, netns, counters[0]).known
                ? had_no_room(examination, netns)
                : !examination->now->counters_count)
            return true;
    return false;
}

const struct check check_udp_drops = {
    .name = "udp-drops",
    .title = N_("datagrams that are thrown away because nobody reads them in time"),
    .needs = NEED_SOCKETS | NEED_MEMORY | NEED_OWNERS | NEED_COUNTERS,
    .before = NEED_SOCKETS | NEED_MEMORY | NEED_COUNTERS,
    .glance = NEED_COUNTERS,
    .protos = PROTO_BIT(PROTO_UDP),
    .states = STATE_BIT(STATE_UNCONNECTED) | STATE_BIT(STATE_ESTABLISHED),
    .thresholds = {[DATAGRAMS] = {"datagrams",
                                  N_("thrown away in a second, of one process"),
                                  UNIT_COUNT,
                                  {10, 1000},
                                  "netdata udp_errors.conf; crit: own"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        N_("Datagrams wait in the receive buffer of their socket until the process reads them. "
           "When it is full, new ones are thrown away, and nobody is told: UDP does not repeat. "
           "Each takes more room than its bytes, as the kernel counts the memory that it lies "
           "in; small ones may take ten times as much.\n"
           "Measured: what each socket has thrown away meanwhile, and the memory of its receive "
           "buffer. RcvbufErrors of the network namespace counts the same, without saying whose "
           "they are: it tells what is missed from what a socket's own filter refused, and of "
           "sockets that are closed again."),
    .sources = "man 7 udp; man 7 socket (SO_RCVBUF); Documentation/networking/snmp_counter.rst",
    .suspects = suspects,
    .run = run,
};
