/* SPDX-License-Identifier: MIT */
/* drops: packets thrown away in the queues between interfaces and protocols. */
#include "derive/health/health.h"

#include <string.h>

enum limit_of_drops {
    BACKLOG,
    QUEUE,
    QUEUE_SHARE,
    SQUEEZED,
};

enum advice_of_drops {
    BACKLOG_FULL,
    QUEUE_FULL,
    OUT_OF_TIME,
};

static const struct advice advice[] = {
    [BACKLOG_FULL] =
        {
            .cause = N_("one processor takes packets in, and more come than it can pass on: its "
                        "backlog is full"),
            .fix =
                {N_("spread the packets: interrupts of the interface on more processors (RSS), or "
                    "RPS (rps_cpus of its queues)"),
                 N_("a longer backlog against bursts: net.core.netdev_max_backlog"), NULL},
            .avoid =
                {N_("a longer backlog alone where one processor has too much to do: it fills up "
                    "as well"),
                 NULL},
            .next = {"nwho stats softnet -a -d 5", "nwho top", NULL},
        },
    [QUEUE_FULL] =
        {
            .cause = N_("more is sent through {iface} than its queueing discipline lets pass: by a "
                        "limit of its rate, or by the speed of the link"),
            .fix =
                {N_("find who sends that much"),
                 N_("a higher rate, where the limit of the queueing discipline is not wanted (tc "
                    "qdisc)"),
                 NULL},
            .avoid = {N_("a longer queue (txqueuelen, limit): what does not fit through only waits "
                         "longer"),
                      NULL},
            .next = {"nwho if{in} {iface} -o +qdisc,qdisc_drops,qdisc_backlog_bytes -d 5",
                     "nwho top", NULL},
        },
    [OUT_OF_TIME] =
        {
            .cause =
                N_("a processor has to interrupt its work on packets often, as its share of time "
                   "is used up; nothing is lost by that"),
            .fix =
                {N_("only where packets are late: net.core.netdev_budget and netdev_budget_usecs"),
                 NULL},
            .avoid = {N_("large values: everything else on that processor waits for them"), NULL},
            .next = {"nwho stats softnet -a -d 5", NULL},
        },
};

static bool is_named(const struct snapshot *snapshot, const struct counter *counter,
                     const char *name)
{
    return strcmp(snapshot_string(snapshot, counter->name, NULL), name) == 0;
}

static int say_processor(struct examination *examination, const struct counter *counter,
                         const struct change *change, enum advice_of_drops which)
{
    bool lost = which == BACKLOG_FULL;
    enum severity severity = health_judge(examination, lost ? BACKLOG : SQUEEZED, change->rate);
    struct subject subject = SUBJECT_NONE;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    health_say(examination,
               lost ? N_("processor {1} threw away {2} packets in {3}")
                    : N_("processor {1} ran out of time for packets {2} times in {3}"),
               fact_count(counter->cpu - 1), fact_count(change->delta), fact_window(examination));
    r = health_add(examination, lost ? severity : SEVERITY_INFO, which, &subject, change->delta);
    return r < 0 ? r
                 : health_prove_change(examination, lost ? "SoftnetDropped" : "SoftnetTimeSqueeze",
                                       "/proc/net/softnet_stat", change,
                                       examination->limits[lost ? BACKLOG : SQUEEZED].warn);
}

static int look_at_processors(struct examination *examination)
{
    const struct snapshot *now = examination->now;
    int r = 0;

    for (uint32_t i = 0; i < now->counters_count && r == 0; i++) {
        const struct counter *counter = &now->counters[i];
        struct change change;

        if (counter->source != COUNTER_SOFTNET || counter->cpu == 0)
            continue;
        change = health_change(examination, counter);
        if (is_named(now, counter, "SoftnetDropped"))
            r = say_processor(examination, counter, &change, BACKLOG_FULL);
        else if (is_named(now, counter, "SoftnetTimeSqueeze"))
            r = say_processor(examination, counter, &change, OUT_OF_TIME);
    }
    return r;
}

static int look_at_queue(struct examination *examination, uint32_t index)
{
    const struct interface *now = &examination->now->interfaces[index];
    const struct interface *before = health_interface_before(examination, now);
    struct subject subject = SUBJECT_NONE;
    struct change change;
    uint64_t sent, share;
    enum severity severity;
    int r;

    if (!before || !(before->has & now->has & INTERFACE_HAS_QDISC) ||
        now->queue.drops <= before->queue.drops || now->stats.tx_packets < before->stats.tx_packets)
        return 0;
    change = (struct change){.before = before->queue.drops, .after = now->queue.drops};
    change.delta = change.after - change.before;
    change.rate = health_rate(examination, change.delta);
    sent = now->stats.tx_packets - before->stats.tx_packets;
    share = change.delta * 1000 / (sent + change.delta);
    severity = health_judge(examination, QUEUE_SHARE, share);
    if (severity == SEVERITY_OK || health_judge(examination, QUEUE, change.rate) == SEVERITY_OK)
        return 0;
    subject.interface = index;
    subject.netns = now->netns;
    health_say(examination, N_("sent {1} packets, and its queue threw away {2}, in {3}"),
               fact_count(sent), fact_count(change.delta), fact_window(examination));
    r = health_add(examination, severity, QUEUE_FULL, &subject, change.delta);
    if (r == 0)
        r = health_prove_change(examination, "drops of the queueing discipline",
                                "rtnetlink TCA_STATS_QUEUE", &change,
                                examination->limits[QUEUE].warn);
    return r < 0 ? r
                 : health_prove_number(examination, "thrown away, in permille of the packets",
                                       "from the counter above", UNIT_COUNT, share,
                                       examination->limits[QUEUE_SHARE].warn);
}

static int run(struct examination *examination)
{
    int r = look_at_processors(examination);

    for (uint32_t i = 0; i < examination->now->interfaces_count && r == 0; i++)
        r = look_at_queue(examination, i);
    return r;
}

const struct check check_drops = {
    .name = "drops",
    .title = N_("packets thrown away in the queues between interfaces and protocols"),
    .needs = NEED_COUNTERS | NEED_INTERFACES | NEED_LINKS | NEED_LINK_DETAILS,
    .before = NEED_COUNTERS | NEED_INTERFACES | NEED_LINKS | NEED_LINK_DETAILS,
    .thresholds =
        {
            [BACKLOG] = {"backlog",
                         N_("packets that one processor throws away in a second"),
                         UNIT_COUNT,
                         {10, 1000},
                         "netdata softnet.conf; crit: own"},
            [QUEUE] = {"queue",
                       N_("packets that one interface's queue throws away in a second"),
                       UNIT_COUNT,
                       {10, LIMIT_NEVER},
                       "own"},
            [QUEUE_SHARE] = {"queue-share",
                             N_("and how many these are, in permille of the packets"),
                             UNIT_COUNT,
                             {10, 100},
                             "own"},
            [SQUEEZED] = {"squeezed",
                          N_("how often in a second a processor runs out of time; only to know"),
                          UNIT_COUNT,
                          {100, LIMIT_NEVER},
                          "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "Packets that came in wait in a backlog of each processor (net.core.netdev_max_backlog) "
        "until it passes them on; when it is full they are thrown away. A processor that works on "
        "them too long stops and goes on later (time_squeeze): that alone loses nothing.\n"
        "Packets to be sent wait in the queueing discipline of their interface. Where it throws "
        "some away neither the interface nor a protocol counts them.\n"
        "Measured: dropped and time_squeeze of each processor (of the whole machine), and the "
        "drops of the root queueing discipline of each interface, also as a share of what it "
        "sent."),
    .sources =
        "Documentation/networking/scaling.rst; Documentation/admin-guide/sysctl/net.rst; man 8 tc",
    .run = run,
};
