/* SPDX-License-Identifier: MIT */
/* rp-filter: packets that the kernel refuses for their addresses or their checksum. */
#include "derive/health/health.h"

enum limit_of_rp_filter {
    PACKETS,
};

enum advice_of_rp_filter {
    REVERSE_PATH,
    CHECKSUM,
    NOT_OURS,
    NO_ROUTE,
    ADVICE_MAX,
};

static const struct advice advice[] = {
    [REVERSE_PATH] =
        {
            .cause =
                N_("packets come in by another interface than the one that answers to them would "
                   "leave by: asymmetric routing, or forged addresses"),
            .fix =
                {N_("mend the routes, so that the way back is the way here; a second uplink needs "
                    "rules of its own (ip rule)"),
                 N_("net.ipv4.conf.IFACE.rp_filter=2 (loose) where asymmetric routing is meant; "
                    "of it and conf.all the larger counts"),
                 NULL},
            .avoid =
                {N_("rp_filter=0 on an interface towards the internet: forged addresses come in"),
                 N_("setting conf.all to 0 and leaving the interfaces: the larger value counts"),
                 NULL},
            .next = {"nwho stats{in} 'TcpExtIPReversePathFilter' -a -d 5", "nwho routes{in}",
                     "nwho if{in} -d 5", NULL},
        },
    [CHECKSUM] =
        {
            .cause = N_("packets come with a wrong checksum: a bad link or memory on the way, or a "
                        "device or driver that does not compute what it promised"),
            .fix =
                {N_("find the sender and the interface: one bad machine, or all behind one link?"),
                 N_("switch off the offload of checksums for a test (ethtool -K IFACE rx off tx "
                    "off), on the side that sends"),
                 NULL},
            .avoid =
                {N_("believing captures on the sender: there the checksum is not computed yet, "
                    "and always looks wrong"),
                 NULL},
            .next = {"nwho stats{in} csum -a -d 5", "nwho if{in} -o all", NULL},
        },
    [NOT_OURS] =
        {
            .cause =
                N_("packets come for addresses that this machine does not have, and it does not "
                   "pass them on: a wrong route or a stale address elsewhere"),
            .fix = {N_("mend the route at the sender, or the address here"),
                    N_("where this machine is to route: net.ipv4.ip_forward=1"), NULL},
            .avoid = {N_("net.ipv4.ip_forward=1 on a machine that is no router"), NULL},
            .next = {"nwho stats{in} IpInAddrErrors -a -d 5", "nwho if{in}", NULL},
        },
    [NO_ROUTE] =
        {
            .cause = N_("programs here send to addresses that no route leads to: \"network is "
                        "unreachable\""),
            .fix = {N_("a route, mostly the default one, that is missing or went away with its "
                       "interface"),
                    NULL},
            .avoid = {NULL},
            .next = {"nwho routes{in}", "nwho stats{in} NoRoutes -a -d 5", NULL},
        },
};

static const struct refusal {
    const char *counter, *source;
    enum advice_of_rp_filter advice;
} refusals[] = {
    {"TcpExtIPReversePathFilter", "/proc/net/netstat", REVERSE_PATH},
    {"TcpInCsumErrors", "/proc/net/snmp", CHECKSUM},
    {"UdpInCsumErrors", "/proc/net/snmp", CHECKSUM},
    {"IcmpInCsumErrors", "/proc/net/snmp", CHECKSUM},
    {"Udp6InCsumErrors", "/proc/net/snmp6", CHECKSUM},
    {"Icmp6InCsumErrors", "/proc/net/snmp6", CHECKSUM},
    {"IpInAddrErrors", "/proc/net/snmp", NOT_OURS},
    {"IpOutNoRoutes", "/proc/net/snmp", NO_ROUTE},
};

static const char *const texts[ADVICE_MAX] = {
    [REVERSE_PATH] = N_("{1} packets from the wrong side were thrown away, in {2}"),
    [CHECKSUM] = N_("{1} packets with a wrong checksum were thrown away, in {2}"),
    [NOT_OURS] = N_("{1} packets for others' addresses were thrown away, in {2}"),
    [NO_ROUTE] = N_("{1} packets were not sent: no route leads where they go, in {2}"),
};

static int say(struct examination *examination, uint32_t netns, const struct refusal *refusal)
{
    struct change change = health_counter(examination, netns, refusal->counter);
    enum severity severity = health_judge(examination, PACKETS, change.rate);
    struct subject subject = SUBJECT_NONE;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject.netns = netns;
    health_say(examination, texts[refusal->advice], fact_count(change.delta),
               fact_window(examination));
    /* A program that tries IPv4 on a machine that has only IPv6 gets its answer at once. */
    r = health_add(examination, refusal->advice == NO_ROUTE ? SEVERITY_INFO : severity,
                   refusal->advice, &subject, change.delta);
    if (r == 0)
        r = health_prove_change(examination, refusal->counter, refusal->source, &change,
                                examination->limits[PACKETS].warn);
    if (r == 0 && refusal->advice == REVERSE_PATH)
        r = health_prove_number(
            examination, "net.ipv4.conf.all.rp_filter", "/proc/sys", UNIT_COUNT,
            health_setting_number(examination, netns, "net.ipv4.conf.all.rp_filter", 0),
            LIMIT_NEVER);
    return r;
}

static int run(struct examination *examination)
{
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count; netns++)
        for (size_t i = 0; i < ARRAY_SIZE(refusals) && r == 0; i++)
            r = say(examination, netns, &refusals[i]);
    return r;
}

const struct check check_rp_filter = {
    .name = "rp-filter",
    .title = N_("packets that the kernel refuses for their addresses or their checksum"),
    .needs = NEED_COUNTERS | NEED_SETTINGS,
    .before = NEED_COUNTERS,
    .thresholds = {[PACKETS] = {"packets",
                                N_("of one kind in a second"),
                                UNIT_COUNT,
                                {10, LIMIT_NEVER},
                                "own"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "Before a packet reaches a socket the kernel looks whether an answer would leave by the "
        "interface that it came in by (rp_filter=1: exactly this one; 2: any), whether its "
        "checksums are right, and whether its address is one of this machine. What fails is thrown "
        "away without a word: connections seem to hang, with nothing wrong at either end.\n"
        "Measured: IPReversePathFilter, InCsumErrors of TCP, UDP and ICMP, InAddrErrors and "
        "OutNoRoutes of each network namespace. A few are usual on the internet, of forged packets "
        "and bad links far away."),
    .sources = "Documentation/networking/ip-sysctl.rst (rp_filter); RFC 3704; RFC 1213",
    .run = run,
};
