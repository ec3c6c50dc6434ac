/* SPDX-License-Identifier: MIT */
/* nic: interfaces that damage or lose packets, or are full. */
#include "derive/health/health.h"

enum limit_of_nic {
    DAMAGED,
    LOST,
    PACKETS,
    BUSY,
};

enum advice_of_nic {
    IS_DAMAGED,
    IS_LOST,
    IS_BUSY,
};

static const struct advice advice[] = {
    [IS_DAMAGED] =
        {
            .cause = N_(
                "packets come damaged through {iface}, or it cannot send them: the cable, a plug, "
                "the duplex setting, the driver, or a tunnel without a way to its other end"),
            .fix = {N_("hardware: another cable and another port of the switch, and the same speed "
                       "and duplex on both sides"),
                    N_("a tunnel: a route to its other end"), NULL},
            .avoid = {N_("larger buffers and other sysctls: the packets are damaged, not too many"),
                      NULL},
            .next = {"nwho if{in} {iface} -o all", "nwho if{in} {iface} -d 5", NULL},
        },
    [IS_LOST] =
        {
            .cause =
                N_("{iface} throws good packets away: its rings are full, the packets are larger "
                   "than its MTU or that of its other end, or nobody here wants them"),
            .fix = {N_("compare the MTU with that of the other end: what is larger is lost"),
                    N_("longer rings (ethtool -G), and interrupts on more processors, where missed "
                       "packets or overruns count up"),
                    NULL},
            .avoid =
                {N_("net.core.netdev_max_backlog: it is about another queue, of the check drops"),
                 NULL},
            .next = {"nwho if{in} {iface} -o all", "nwho doctor{in} drops", NULL},
        },
    [IS_BUSY] =
        {
            .cause = N_("{iface} carries as much as it can"),
            .fix = {N_("find who uses it, and whether that has to be now"),
                    N_("a faster link, or several of them"), NULL},
            .avoid = {N_("longer queues: they make everything wait longer, and carry no more"),
                      NULL},
            .next = {"nwho top", "nwho if{in} {iface} --watch", NULL},
        },
};

/* What an interface did meanwhile. */
struct link_change {
    uint64_t packets, damaged, lost;
    uint64_t busy; /* permille of its speed, of the busier direction; 0: the speed is not known */
};

/* Counters that were set back count nothing. */
static uint64_t since(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

#define SINCE(member) since(before->stats.member, now->stats.member)

static struct link_change change_of(const struct examination *examination,
                                    const struct interface *before, const struct interface *now)
{
    struct link_change change = {
        .damaged = SINCE(rx_errors) + SINCE(tx_errors),
        .lost = SINCE(rx_dropped) + SINCE(tx_dropped) + SINCE(rx_missed_errors),
    };
    uint64_t rx = SINCE(rx_bytes), tx = SINCE(tx_bytes);

    change.packets = SINCE(rx_packets) + SINCE(tx_packets) + change.damaged + change.lost;
    if (now->has & INTERFACE_HAS_SPEED)
        change.busy =
            health_rate(examination, rx > tx ? rx : tx) * 8 / ((uint64_t)now->speed_mbit * 1000);
    return change;
}

/* In permille of all packets; few of them say nothing. */
static uint64_t share_of(const struct examination *examination, const struct link_change *change,
                         uint64_t part)
{
    if (!change->packets || health_judge(examination, PACKETS, change->packets) == SEVERITY_OK)
        return 0;
    return part * 1000 / change->packets;
}

static int prove(struct examination *examination, const struct interface *before,
                 const struct interface *now)
{
    const struct {
        const char *counter;
        uint64_t before, after;
    } numbers[] = {
        {"rx_errors", before->stats.rx_errors, now->stats.rx_errors},
        {"tx_errors", before->stats.tx_errors, now->stats.tx_errors},
        {"rx_dropped", before->stats.rx_dropped, now->stats.rx_dropped},
        {"tx_dropped", before->stats.tx_dropped, now->stats.tx_dropped},
        {"rx_missed_errors", before->stats.rx_missed_errors, now->stats.rx_missed_errors},
        {"rx_packets", before->stats.rx_packets, now->stats.rx_packets},
        {"tx_packets", before->stats.tx_packets, now->stats.tx_packets},
    };
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(numbers) && r == 0; i++) {
        struct change change = {
            .before = numbers[i].before,
            .after = numbers[i].after,
            .delta = since(numbers[i].before, numbers[i].after),
        };

        change.rate = health_rate(examination, change.delta);
        if (change.delta)
            r = health_prove_change(examination, numbers[i].counter, "rtnetlink IFLA_STATS64",
                                    &change, LIMIT_NEVER);
    }
    return r;
}

static int say_part(struct examination *examination, const struct subject *subject,
                    const struct link_change *change, enum advice_of_nic which)
{
    bool damaged = which == IS_DAMAGED;
    uint64_t part = damaged ? change->damaged : change->lost;
    uint64_t share = share_of(examination, change, part);
    const struct limit *limit = &examination->limits[damaged ? DAMAGED : LOST];
    enum severity severity = health_judge(examination, damaged ? DAMAGED : LOST, share);
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    health_say(examination,
               damaged ? N_("damages {1} of {2} packets in {3}")
                       : N_("throws away {1} of {2} packets in {3}"),
               fact_count(part), fact_count(change->packets), fact_window(examination));
    r = health_add(examination, severity, which, subject, share);
    if (r == 0)
        r = health_prove_number(examination,
                                damaged ? "damaged, in permille of the packets"
                                        : "thrown away, in permille of the packets",
                                "from the counters below", UNIT_COUNT, share, limit->warn);
    return r < 0 ? r
                 : prove(examination,
                         health_interface_before(examination,
                                                 &examination->now->interfaces[subject->interface]),
                         &examination->now->interfaces[subject->interface]);
}

/* A link that is full loses nothing yet: only to know. */
static int say_busy(struct examination *examination, const struct subject *subject, uint64_t busy)
{
    int r;

    if (health_judge(examination, BUSY, busy) == SEVERITY_OK)
        return 0;
    health_say(examination, N_("carries {1} of its speed"), fact_percent(busy / 10));
    r = health_add(examination, SEVERITY_INFO, IS_BUSY, subject, busy);
    return r < 0 ? r
                 : health_prove_number(examination, "permille of the speed",
                                       "rtnetlink IFLA_STATS64, ethtool", UNIT_COUNT, busy,
                                       examination->limits[BUSY].warn);
}

static int run(struct examination *examination)
{
    const struct snapshot *now = examination->now;
    struct subject subject = SUBJECT_NONE;
    int r = 0;

    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++) {
        const struct interface *before = health_interface_before(examination, &now->interfaces[i]);
        struct link_change change;

        if (!before || !(before->has & now->interfaces[i].has & INTERFACE_HAS_STATS))
            continue;
        subject.interface = i;
        subject.netns = now->interfaces[i].netns;
        change = change_of(examination, before, &now->interfaces[i]);
        r = say_part(examination, &subject, &change, IS_DAMAGED);
        if (r == 0)
            r = say_part(examination, &subject, &change, IS_LOST);
        if (r == 0)
            r = say_busy(examination, &subject, change.busy);
    }
    return r;
}

const struct check check_nic = {
    .name = "nic",
    .title = N_("interfaces that damage or lose packets, or are full"),
    .needs = NEED_INTERFACES | NEED_LINKS | NEED_LINK_DETAILS,
    .before = NEED_INTERFACES | NEED_LINKS,
    .thresholds =
        {
            [DAMAGED] = {"damaged",
                         N_("permille of the packets"),
                         UNIT_COUNT,
                         {10, 100},
                         "node_exporter mixin; crit: own"},
            [LOST] = {"lost",
                      N_("permille of the packets"),
                      UNIT_COUNT,
                      {20, 200},
                      "netdata net.conf; crit: own"},
            [PACKETS] = {"packets",
                         N_("with fewer packets meanwhile a share means nothing"),
                         UNIT_COUNT,
                         {1000, LIMIT_NEVER},
                         "own"},
            [BUSY] = {"busy",
                      N_("permille of its speed; only to know"),
                      UNIT_COUNT,
                      {900, LIMIT_NEVER},
                      "netdata net.conf"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "An interface counts packets that came damaged or could not be sent (errors), good ones "
        "that it threw away (dropped), and those for which the device had no room (missed). "
        "Damaged packets are a matter of cable, plug, duplex or driver; lost ones of rings, MTU or "
        "speed. A virtual pair loses what is larger than the MTU of its other end.\n"
        "Measured: these counters of every interface, as a share of its packets, and its bytes as "
        "a share of the speed that its driver tells. What waits in front of the interface is the "
        "matter of the check drops."),
    .sources = "Documentation/networking/statistics.rst; man 8 ip-link",
    .run = run,
};
