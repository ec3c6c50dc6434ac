/* SPDX-License-Identifier: MIT */
/* resets: connections that are refused or broken off, in numbers that matter. */
#include "derive/health/health.h"

enum limit_of_resets {
    REFUSED,
    BROKEN,
    SHARE,
};

enum advice_of_resets {
    REFUSED_THERE,
    REFUSED_HERE,
    BROKEN_HERE,
    BROKEN_THERE,
};

static const struct advice advice[] = {
    [REFUSED_THERE] =
        {
            .cause = N_("a program asks again and again for connections that are refused: nobody "
                        "listens at that port, or a firewall rejects them"),
            .fix = {N_("find who asks whom, and start the service there or mend the address"),
                    N_("let the program wait between its tries"), NULL},
            .avoid = {N_("longer timeouts: a refusal comes at once, and is an answer"), NULL},
            .next = {"nwho events{in} refused --for 10 --summary",
                     "nwho stats{in} AttemptFails -a -d 5", NULL},
        },
    [REFUSED_HERE] =
        {
            .cause =
                N_("others ask for connections to ports here that nobody listens at: a service "
                   "that does not run, clients with an old address, or a port scan"),
            .fix =
                {N_("where a service is meant to be there, start it; clients that ask for one that "
                    "has moved need its new address"),
                 N_("scans are filtered by a firewall; they are harmless where nothing listens"),
                 NULL},
            .avoid =
                {N_("dropping instead of refusing in front of own clients: they wait for minutes "
                    "instead of learning it at once"),
                 NULL},
            .next = {"nwho ports{in}", "nwho stats{in} OutRsts -a -d 5",
                     "nwho events{in} --for 10 --summary", NULL},
        },
    [BROKEN_HERE] =
        {
            .cause = N_("programs here break off connections: they close or die with data unread "
                        "(AbortOnClose), or with SO_LINGER 0 (AbortOnData); the other side gets a "
                        "reset, and loses what it has not read"),
            .fix = {N_("read to the end of input before close(), or shutdown() first"),
                    N_("look for processes that crash or are killed"), NULL},
            .avoid = {N_("SO_LINGER 0 to get rid of time-wait: it throws data away"), NULL},
            .next = {"nwho events{in} reset --for 10 --summary", "nwho stats{in} abort -a -d 5",
                     NULL},
        },
    [BROKEN_THERE] =
        {
            .cause =
                N_("the other sides break off established connections: programs there close with "
                   "data unread or die, or a balancer or firewall on the way has forgotten them"),
            .fix =
                {N_("look which remotes do it, and there into the log of the program"),
                 N_("where it is after idle time: keepalive shorter than the timeout of what is on "
                    "the way"),
                 NULL},
            .avoid =
                {N_("dropping resets by a firewall: the connections are gone all the same, and "
                    "then hang"),
                 NULL},
            .next = {"nwho events{in} reset --for 10 --summary",
                     "nwho stats{in} EstabResets -a -d 5", NULL},
        },
};

/* Counters by what they tell. */
static const struct {
    const char *name, *file;
} counters[] = {
    {"TcpAttemptFails", "/proc/net/snmp"},
    {"TcpOutRsts", "/proc/net/snmp"},
    {"TcpEstabResets", "/proc/net/snmp"},
    {"TcpActiveOpens", "/proc/net/snmp"},
    {"TcpPassiveOpens", "/proc/net/snmp"},
    {"TcpExtEmbryonicRsts", "/proc/net/netstat"},
    {"TcpExtTCPAbortOnClose", "/proc/net/netstat"},
    {"TcpExtTCPAbortOnData", "/proc/net/netstat"},
    {"TcpExtTCPAbortOnTimeout", "/proc/net/netstat"},
};

enum counter_of_resets {
    ATTEMPT_FAILS,
    OUT_RSTS,
    ESTAB_RESETS,
    ACTIVE_OPENS,
    PASSIVE_OPENS,
    EMBRYONIC_RSTS,
    ABORT_ON_CLOSE,
    ABORT_ON_DATA,
    ABORT_ON_TIMEOUT,
    COUNTER_MAX,
};

static uint64_t without(uint64_t all, uint64_t part)
{
    return all > part ? all - part : 0;
}

static int say(struct examination *examination, uint32_t netns, const struct change *changes,
               enum severity severity, enum advice_of_resets which, uint64_t count)
{
    static const char *const whats[] = {
        [REFUSED_THERE] = N_("{1} requests for connections were refused in {2}"),
        [REFUSED_HERE] = N_("{1} requests to ports without a listener were refused in {2}"),
        [BROKEN_HERE] = N_("{1} connections were broken off by processes here in {2}"),
        [BROKEN_THERE] = N_("{1} established connections were reset by the other side in {2}"),
    };
    struct subject subject = SUBJECT_NONE;
    int r;

    subject.netns = netns;
    health_say(examination, whats[which], fact_count(count), fact_window(examination));
    r = health_add(examination, severity, which, &subject, count);
    for (size_t i = 0; i < COUNTER_MAX && r == 0; i++)
        if (changes[i].known)
            r = health_prove_change(examination, counters[i].name, counters[i].file, &changes[i],
                                    LIMIT_NEVER);
    return r;
}

/* Both many of them, and many for the connections that there were. */
static bool is_much(const struct examination *examination, uint32_t which, uint64_t count,
                    uint64_t of)
{
    uint64_t rate =
        examination->window_ns ? count * UINT64_C(1000000000) / examination->window_ns : 0;

    return health_judge(examination, which, rate) > SEVERITY_OK &&
           health_judge(examination, SHARE, count * 1000 / (of ? of : 1)) > SEVERITY_OK;
}

static int look_at_namespace(struct examination *examination, uint32_t netns)
{
    struct change changes[COUNTER_MAX];
    uint64_t opened, refused, aborted, answered, broken;
    enum severity severity;
    int r = 0;

    for (size_t i = 0; i < COUNTER_MAX; i++)
        changes[i] = health_counter(examination, netns, counters[i].name);
    opened = changes[ACTIVE_OPENS].delta + changes[PASSIVE_OPENS].delta;
    aborted = changes[ABORT_ON_CLOSE].delta + changes[ABORT_ON_DATA].delta;
    /* Also counted there: clients that break off the handshake, and requests without an answer. */
    refused = without(changes[ATTEMPT_FAILS].delta,
                      changes[EMBRYONIC_RSTS].delta + changes[ABORT_ON_TIMEOUT].delta);
    answered = without(changes[OUT_RSTS].delta, aborted);
    /* Each end of a connection that was broken off counts it. */
    broken = without(changes[ESTAB_RESETS].delta, aborted + changes[ABORT_ON_TIMEOUT].delta);
    /* What a process of this namespace asks for in vain is refused here too: one fault. */
    if (is_much(examination, REFUSED, refused, changes[ACTIVE_OPENS].delta))
        r = say(examination, netns, changes, SEVERITY_WARN, REFUSED_THERE, refused);
    else if (is_much(examination, REFUSED, answered, opened + answered))
        r = say(examination, netns, changes, SEVERITY_WARN, REFUSED_HERE, answered);
    if (r < 0)
        return r;
    /* More than were opened, and some that were open already: a process that ended with all its
     * connections, which happens once. */
    severity = aborted + broken > opened + opened / 10 + 1 ? SEVERITY_INFO : SEVERITY_WARN;
    if (is_much(examination, BROKEN, aborted, opened))
        return say(examination, netns, changes, severity, BROKEN_HERE, aborted);
    if (is_much(examination, BROKEN, broken, opened))
        return say(examination, netns, changes, severity, BROKEN_THERE, broken);
    return 0;
}

static int run(struct examination *examination)
{
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count && r == 0; netns++)
        r = look_at_namespace(examination, netns);
    return r;
}

const struct check check_resets = {
    .name = "resets",
    .title = N_("connections that are refused or broken off, in numbers that matter"),
    .needs = NEED_COUNTERS,
    .before = NEED_COUNTERS,
    .thresholds =
        {
            [REFUSED] = {"refused",
                         N_("refused requests for connections in a second"),
                         UNIT_COUNT,
                         {5, LIMIT_NEVER},
                         "netdata tcp_resets.conf"},
            [BROKEN] = {"broken",
                        N_("connections broken off in a second"),
                        UNIT_COUNT,
                        {5, LIMIT_NEVER},
                        "netdata tcp_resets.conf"},
            [SHARE] = {"share",
                       N_("and permille of the connections that were opened meanwhile"),
                       UNIT_COUNT,
                       {200, LIMIT_NEVER},
                       "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "A reset (RST) refuses a connection, or ends one without ceremony: data that the receiver "
        "has not read yet is lost. The kernel sends it for ports that nobody listens at, for "
        "connections that it does not know, and when a process closes or dies while data waits "
        "that "
        "it has not read, or asks for that by SO_LINGER 0.\n"
        "A server on the internet is asked for closed ports all the time, and some programs end "
        "by resets on purpose. So it takes several a second, and a good part of the connections "
        "opened meanwhile. More than were opened are those of a process that ended with all its "
        "connections: only to know.\n"
        "Measured, for each network namespace: AttemptFails without EmbryonicRsts and "
        "AbortOnTimeout (own requests refused), OutRsts without aborts (requests of others "
        "refused), AbortOnClose and "
        "AbortOnData "
        "(broken off here), EstabResets without these (broken off by the other side). The kernel "
        "does not count them by process: nwho events shows who it is while it happens."),
    .sources = "RFC 9293 3.5.2; RFC 2525 2.17; Documentation/networking/snmp_counter.rst",
    .run = run,
};
