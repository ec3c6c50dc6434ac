/* SPDX-License-Identifier: MIT */
/* mem: TCP or UDP that is about to use all the memory it may. */
#include "derive/health/health.h"
#include "derive/health/tally.h"

enum limit_of_mem {
    PRESSURE,
    MOST,
    RESERVE,
};

static const struct advice advice[] = {{
    .cause =
        N_("all sockets together hold nearly as much data as the kernel allows them: new data is "
           "refused, windows shrink, and connections may be reset; {process} holds most"),
    .fix = {N_("look why {process} holds so much: it does not read, or the other side does not"),
            N_("smaller buffers where there are very many sockets (SO_RCVBUF, SO_SNDBUF, "
               "net.ipv4.tcp_rmem and tcp_wmem)"),
            N_("more memory for all: net.ipv4.tcp_mem, udp_mem (in pages), in the first network "
               "namespace"),
            NULL},
    .avoid = {N_("larger buffers of the sockets: they hold even more"), NULL},
    .next = {"nwho ls{in} --sort skmem_bytes:desc --limit 10 -o +skmem_bytes", "nwho ls{in} stuck",
             NULL},
}};

/* A protocol that has a limit of its own. */
static const struct budget {
    const char *name, *used, *limits;
    uint32_t protos;
} budgets[] = {
    {"TCP", "SockTCPMem", "net.ipv4.tcp_mem", PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_MPTCP)},
    {"UDP", "SockUDPMem", "net.ipv4.udp_mem", PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE)},
};

/* The process whose sockets hold most, by an example; HEALTH_NONE: none is known. */
static int find_largest(const struct examination *examination, const struct budget *budget,
                        struct tally *processes)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket_memory *memory = snapshot_memory(now, &now->sockets[i]);
        uint32_t process = health_owner(examination, i);
        uint64_t held =
            memory ? (uint64_t)memory->receive + memory->write_queue + memory->forward : 0;

        if (held && process != HEALTH_NONE && PROTO_BIT(now->sockets[i].proto) & budget->protos)
            r = tally_add(processes, process, held, i);
    }
    return r;
}

static enum severity judge(const struct examination *examination, const struct budget *budget)
{
    const struct setting *limits = health_setting(examination, 0, budget->limits);
    struct change used = health_machine_counter(examination, budget->used);
    enum severity by_pressure = SEVERITY_OK, by_most = SEVERITY_OK;
    uint64_t pages = used.after;

    if (!limits || limits->count < 3 || !used.known ||
        health_judge(examination, RESERVE, pages) == SEVERITY_OK)
        return SEVERITY_OK;
    if (limits->numbers[1])
        by_pressure = health_judge(examination, PRESSURE, pages * 1000 / limits->numbers[1]);
    if (limits->numbers[2])
        by_most = health_judge(examination, MOST, pages * 1000 / limits->numbers[2]);
    return by_most > by_pressure ? by_most : by_pressure;
}

static int prove_losses(struct examination *examination)
{
    static const char *const counters[] = {"TcpExtTCPMemoryPressures", "TcpExtTCPRcvQDrop",
                                           "TcpExtPruneCalled", "TcpExtTCPAbortOnMemory",
                                           "UdpMemErrors"};
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count; netns++)
        for (size_t i = 0; i < ARRAY_SIZE(counters) && r == 0; i++) {
            struct change change = health_counter(examination, netns, counters[i]);

            if (change.delta)
                r = health_prove_change(examination, counters[i],
                                        i + 1 < ARRAY_SIZE(counters) ? "/proc/net/netstat"
                                                                     : "/proc/net/snmp",
                                        &change, LIMIT_NEVER);
        }
    return r;
}

static int look_at(struct examination *examination, const struct budget *budget)
{
    CLEANUP(tally_done) struct tally processes = {0};
    const struct setting *limits = health_setting(examination, 0, budget->limits);
    struct change used = health_machine_counter(examination, budget->used);
    struct subject subject = SUBJECT_NONE;
    const struct tally_item *most = NULL;
    enum severity severity = judge(examination, budget);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    r = find_largest(examination, budget, &processes);
    for (uint32_t i = 0; i < processes.count; i++)
        if (!most || processes.items[i].sum > most->sum)
            most = &processes.items[i];
    if (most) {
        subject = health_subject(examination, most->example);
        health_say(examination, N_("holds {1} in {2} sockets; "), fact_bytes(most->sum),
                   fact_count(most->count));
    }
    health_say(examination, N_("{1} uses {2} of {3} pages of the machine"), fact_word(budget->name),
               fact_count(used.after), fact_count(limits->numbers[2]));
    if (r == 0)
        r = health_add(examination, severity, 0, &subject, used.after);
    if (r == 0)
        r = health_prove(examination, (struct evidence){
                                          .counter = budget->used,
                                          .source = "/proc/net/sockstat",
                                          .unit = UNIT_COUNT,
                                          .before = (int64_t)used.before,
                                          .after = (int64_t)used.after,
                                          .rate = EVIDENCE_NONE,
                                          .threshold = (int64_t)limits->numbers[1],
                                      });
    return r < 0 ? r : prove_losses(examination);
}

static int run(struct examination *examination)
{
    int r = 0;

    if (!health_setting(examination, 0, "net.ipv4.tcp_mem"))
        health_skip(examination,
                    N_("only the first network namespace shows the limits of memory, and "
                       "it cannot be entered"));
    for (size_t i = 0; i < ARRAY_SIZE(budgets) && r == 0; i++)
        r = look_at(examination, &budgets[i]);
    return r;
}

static bool suspects(const struct examination *examination)
{
    for (size_t i = 0; i < ARRAY_SIZE(budgets); i++)
        if (judge(examination, &budgets[i]) > SEVERITY_OK)
            return true;
    return false;
}

const struct check check_mem = {
    .name = "mem",
    .title = N_("TCP or UDP that is about to use all the memory it may"),
    .needs = NEED_SOCKETS | NEED_MEMORY | NEED_OWNERS | NEED_COUNTERS | NEED_SETTINGS,
    .before = NEED_COUNTERS,
    .glance = NEED_COUNTERS | NEED_SETTINGS,
    .protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
    .states = STATE_ALL,
    .thresholds =
        {
            [PRESSURE] =
                {"pressure",
                 N_("permille of where the kernel begins to save memory: the second number "
                    "of tcp_mem, udp_mem"),
                 UNIT_COUNT,
                 {1000, LIMIT_NEVER},
                 "Documentation/networking/ip-sysctl.rst"},
            [MOST] = {"most",
                      N_("permille of the third number"),
                      UNIT_COUNT,
                      {900, 900},
                      "netdata tcp_mem.conf"},
            [RESERVE] = {"reserve",
                         N_("pages that are nothing: each processor keeps some ready"),
                         UNIT_COUNT,
                         {2048, LIMIT_NEVER},
                         "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        N_("TCP and UDP each have a budget of memory for the data of all sockets of the "
           "machine, in three numbers of pages: net.ipv4.tcp_mem and udp_mem. Above the second "
           "one TCP saves: buffers do not grow, received data is squeezed together or thrown "
           "away, windows shrink. At the third one memory is refused: data is lost, and "
           "connections without a process are reset.\n"
           "Measured: the pages in use of both (of the whole machine), and what each process's "
           "sockets hold: received, waiting to be sent, and kept ready. Pages that processors "
           "keep ready count as used on an idle machine too."),
    .sources = "Documentation/networking/ip-sysctl.rst (tcp_mem, udp_mem); man 7 tcp",
    .suspects = suspects,
    .run = run,
};
