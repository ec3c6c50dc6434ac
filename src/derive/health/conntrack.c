/* SPDX-License-Identifier: MIT */
/* conntrack: a table of tracked connections that is full, or refuses some. */
#include "derive/health/health.h"

enum limit_of_conntrack {
    FILLED,
    DROPPED,
    FAILED,
};

enum advice_of_conntrack {
    TABLE_FULL,
    INSERT_FAILED,
};

#define STATISTICS "/proc/net/stat/nf_conntrack"

static const struct advice advice[] = {
    [TABLE_FULL] =
        {
            .cause = N_("more connections are tracked at once than net.netfilter.nf_conntrack_max "
                        "allows: each new one is refused, or pushes out another"),
            .fix = {N_("find who opens them: scans, floods and DNS leave most entries"),
                    N_("a higher net.netfilter.nf_conntrack_max (and nf_conntrack_buckets with "
                       "it), set in the first network namespace"),
                    N_("a shorter net.netfilter.nf_conntrack_tcp_timeout_established: five days is "
                       "the usual"),
                    N_("no tracking (notrack) where neither NAT nor a stateful rule needs it"),
                    NULL},
            .avoid =
                {N_("switching off the firewall's state rules alone: NAT keeps tracking on"),
                 N_("looking at the first network namespace alone: each has its own table, with "
                    "the same limit"),
                 NULL},
            .next = {"nwho nat{in} --by process,state", "nwho stats{in} conntrack -a -d 5", NULL},
        },
    [INSERT_FAILED] =
        {
            .cause = N_("two new flows wanted the same place in the table at the same time, and a "
                        "packet of one was thrown away: NAT gave two senders the same port, or two "
                        "DNS questions from one socket were tracked at once"),
            .fix =
                {N_("a port for NAT that is chosen at random (random-fully in its rule)"),
                 N_("DNS over a local cache, or over TCP (options use-vc), or one question after "
                    "the other (options single-request-reopen)"),
                 NULL},
            .avoid = {N_("a higher net.netfilter.nf_conntrack_max: the table is not full"), NULL},
            .next = {"nwho stats{in} conntrack -a -d 5", "nwho ls{in} udp dport :53", NULL},
        },
};

/* The table of one namespace. */
struct table {
    uint64_t entries, most, filled; /* filled: in permille; 0 where nothing limits it */
    struct change dropped, pushed_out, failed;
    uint64_t refused; /* for want of room: what failed for another reason was dropped as well */
};

static int prove(struct examination *examination, const struct table *table)
{
    const struct {
        const char *counter;
        const struct change *change;
        uint32_t limit;
    } counters[] = {
        {"ConntrackDrop", &table->dropped, DROPPED},
        {"ConntrackEarlyDrop", &table->pushed_out, DROPPED},
        {"ConntrackInsertFailed", &table->failed, FAILED},
    };
    int r = health_prove(examination, (struct evidence){
                                          .counter = "nf_conntrack_count",
                                          .source = "/proc/sys/net/netfilter",
                                          .unit = UNIT_COUNT,
                                          .before = EVIDENCE_NONE,
                                          .after = (int64_t)table->entries,
                                          .rate = EVIDENCE_NONE,
                                          .threshold = (int64_t)table->most,
                                      });

    for (size_t i = 0; i < ARRAY_SIZE(counters) && r == 0; i++)
        if (counters[i].change->known)
            r = health_prove_change(examination, counters[i].counter, STATISTICS,
                                    counters[i].change,
                                    examination->limits[counters[i].limit].warn);
    return r;
}

static int say_full(struct examination *examination, uint32_t netns, const struct table *table)
{
    enum severity by_share = health_judge(examination, FILLED, table->filled);
    enum severity by_drops =
        health_judge(examination, DROPPED, health_rate(examination, table->refused));
    struct subject subject = SUBJECT_NONE;
    int r;

    if (by_share == SEVERITY_OK && by_drops == SEVERITY_OK)
        return 0;
    subject.netns = netns;
    health_say(examination, N_("{1} of {2} connections that may be tracked are"),
               fact_count(table->entries), fact_count(table->most));
    if (table->refused)
        health_say(examination, N_("; {1} were refused or pushed out in {2}"),
                   fact_count(table->refused), fact_window(examination));
    r = health_add(examination, by_drops > by_share ? by_drops : by_share, TABLE_FULL, &subject,
                   table->filled);
    return r < 0 ? r : prove(examination, table);
}

static int say_failed(struct examination *examination, uint32_t netns, const struct table *table)
{
    enum severity severity = health_judge(examination, FAILED, table->failed.rate);
    struct subject subject = SUBJECT_NONE;
    int r;

    if (severity == SEVERITY_OK)
        return 0;
    subject.netns = netns;
    health_say(examination, N_("{1} new flows could not be tracked, and lost a packet, in {2}"),
               fact_count(table->failed.delta), fact_window(examination));
    r = health_add(examination, severity, INSERT_FAILED, &subject, table->failed.delta);
    return r < 0 ? r : prove(examination, table);
}

static int run(struct examination *examination)
{
    bool loaded = false;
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count && r == 0; netns++) {
        struct table table = {
            .entries =
                health_setting_number(examination, netns, "net.netfilter.nf_conntrack_count", 0),
            .most = health_setting_number(examination, netns, "net.netfilter.nf_conntrack_max", 0),
            .dropped = health_counter(examination, netns, "ConntrackDrop"),
            .pushed_out = health_counter(examination, netns, "ConntrackEarlyDrop"),
            .failed = health_counter(examination, netns, "ConntrackInsertFailed"),
        };

        if (!health_setting(examination, netns, "net.netfilter.nf_conntrack_count"))
            continue;
        loaded = true;
        table.refused = table.pushed_out.delta;
        if (table.dropped.delta > table.failed.delta)
            table.refused += table.dropped.delta - table.failed.delta;
        table.filled = table.most ? table.entries * 1000 / table.most : 0;
        r = say_full(examination, netns, &table);
        if (r == 0)
            r = say_failed(examination, netns, &table);
    }
    if (!loaded)
        health_skip(examination,
                    N_("connections are not tracked here (nf_conntrack is not loaded)"));
    return r;
}

const struct check check_conntrack = {
    .name = "conntrack",
    .title = N_("a table of tracked connections that is full, or refuses some"),
    .needs = NEED_COUNTERS | NEED_SETTINGS,
    .before = NEED_COUNTERS,
    .at_once = true,
    .thresholds =
        {
            [FILLED] = {"filled",
                        N_("permille of nf_conntrack_max"),
                        UNIT_COUNT,
                        {750, 900},
                        "node_exporter mixin, netdata netfilter.conf"},
            [DROPPED] = {"dropped",
                         N_("connections refused or pushed out in a second"),
                         UNIT_COUNT,
                         {1, 1},
                         "own"},
            [FAILED] = {"failed",
                        N_("flows in a second that could not be put into the table"),
                        UNIT_COUNT,
                        {10, LIMIT_NEVER},
                        "own"},
        },
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "NAT and firewalls that know states keep an entry for each connection, also for datagrams. "
        "Each network namespace has a table of its own; the limit of each is the same, and is set "
        "in the first one. When a table is full an entry that saw no answer is pushed out for a "
        "new one (early_drop), and where there is none the new packet is thrown away (drop): "
        "connections fail that have nothing to do with those that filled it.\n"
        "An entry is put into the table only when its packet leaves. The second of two new flows "
        "that are under way at once may find its place taken then: by one to which NAT gave the "
        "same port, or by another packet of its own. It is thrown away (insert_failed, and drop as "
        "well).\n"
        "Measured: nf_conntrack_count and nf_conntrack_max of each namespace, and drop (without "
        "those "
        "that failed), early_drop and insert_failed of its statistics."),
    .sources = "Documentation/networking/nf_conntrack-sysctl.rst",
    .run = run,
};
