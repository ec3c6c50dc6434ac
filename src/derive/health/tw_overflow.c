/* SPDX-License-Identifier: MIT */
/* tw-overflow: connections that end without time-wait as there are too many of these. */
#include "derive/health/health.h"

enum limit_of_tw_overflow {
    OVERFLOWS,
};

static const struct advice advice[] = {{
    .cause =
        N_("there are more connections in time-wait than net.ipv4.tcp_max_tw_buckets allows; the "
           "kernel forgets further ones at once, and late segments of theirs may get resets or "
           "end up in new connections"),
    .fix = {N_("raise net.ipv4.tcp_max_tw_buckets: a time-wait takes less than half a kilobyte"),
            N_("fewer connections: keep them (keep-alive, a pool) instead of one for each request"),
            NULL},
    .avoid =
        {N_("a lower tcp_max_tw_buckets: it makes this fault, and saves nothing"),
         N_("net.ipv4.tcp_fin_timeout: it is about fin-wait-2; time-wait lasts 60 s, and no "
            "setting changes that"),
         N_("net.ipv4.tcp_tw_recycle: it broke clients behind NAT, and is gone since Linux 4.12"),
         NULL},
    .next = {"nwho count{in} peer state time-wait --limit 10", "nwho stats{in} TimeWait -a -d 5",
             NULL},
}};

static int say(struct examination *examination, uint32_t netns, const struct change *overflows)
{
    struct change waiting = health_counter(examination, netns, "SockTCPTw");
    uint64_t limit =
        health_setting_number(examination, netns, "net.ipv4.tcp_max_tw_buckets", LIMIT_NEVER);
    struct subject subject = SUBJECT_NONE;
    int r;

    subject.netns = netns;
    health_say(examination, N_("{1} connections ended without time-wait in {2}"),
               fact_count(overflows->delta), fact_window(examination));
    if (limit != LIMIT_NEVER)
        health_say(examination, N_(": {1} are in it, and {2} may be"), fact_count(waiting.after),
                   fact_count(limit));
    r = health_add(examination, health_judge(examination, OVERFLOWS, overflows->rate), 0, &subject,
                   overflows->delta);
    if (r == 0)
        r = health_prove_change(examination, "TcpExtTCPTimeWaitOverflow", "/proc/net/netstat",
                                overflows, examination->limits[OVERFLOWS].warn);
    return r < 0 ? r
                 : health_prove_number(examination, "SockTCPTw", "/proc/net/sockstat", UNIT_COUNT,
                                       waiting.after, limit);
}

static int run(struct examination *examination)
{
    int r = 0;

    for (uint32_t netns = 0; netns < examination->now->netns_count && r == 0; netns++) {
        struct change overflows = health_counter(examination, netns, "TcpExtTCPTimeWaitOverflow");

        if (health_judge(examination, OVERFLOWS, overflows.rate) > SEVERITY_OK)
            r = say(examination, netns, &overflows);
    }
    return r;
}

const struct check check_tw_overflow = {
    .name = "tw-overflow",
    .title = N_("connections that end without time-wait as there are too many of these"),
    .needs = NEED_COUNTERS | NEED_SETTINGS,
    .before = NEED_COUNTERS,
    .thresholds = {[OVERFLOWS] = {"overflows",
                                  N_("connections that ended without time-wait, in a second"),
                                  UNIT_COUNT,
                                  {1, LIMIT_NEVER},
                                  "Documentation/networking/ip-sysctl.rst"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory = N_(
        "Who closes a connection first keeps its addresses and ports in TIME-WAIT for 60 s, a "
        "constant of the kernel, so that late segments do not get into a new connection of the "
        "same "
        "ports. It holds no descriptor and no process; many of them are normal on a busy machine.\n"
        "Beyond net.ipv4.tcp_max_tw_buckets the kernel skips TIME-WAIT. Measured: "
        "TCPTimeWaitOverflow of each network namespace."),
    .sources = "Documentation/networking/ip-sysctl.rst (tcp_max_tw_buckets); RFC 9293 3.6.1; RFC "
               "1337",
    .run = run,
};
