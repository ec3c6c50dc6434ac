/* SPDX-License-Identifier: MIT */
/* The recorder between two ticks: flows and interfaces of each second. */
#include "cli/recorder_seconds.h"

#include "base/clock.h"
#include "collect/accounting.h"
#include "collect/link_counts.h"

#include <stdlib.h>

/* Each of both rests for so many times the CPU time that it took: 0.02 % of a processor. */
#define REST 5000

struct recorder_seconds {
    struct accounting *accounting;
    struct link_counts links;
    struct seconds taken;
    uint64_t flows_rest_ns, links_rest_ns; /* CLOCK_BOOTTIME until when */
};

struct recorder_seconds *recorder_seconds_new(struct accounting *accounting)
{
    struct recorder_seconds *seconds = calloc(1, sizeof(*seconds));

    if (seconds)
        seconds->accounting = accounting;
    return seconds;
}

void recorder_seconds_free(struct recorder_seconds *seconds)
{
    if (!seconds)
        return;
    link_counts_done(&seconds->links);
    seconds_done(&seconds->taken);
    free(seconds);
}

int recorder_seconds_begin(struct recorder_seconds *seconds, const struct snapshot *now)
{
    seconds_clear(&seconds->taken);
    return link_counts_begin(&seconds->links, now);
}

static int take_flows(struct recorder_seconds *seconds)
{
    return accounting_count(seconds->accounting, &seconds->taken);
}

static int take_links(struct recorder_seconds *seconds)
{
    return link_counts_take(&seconds->links, &seconds->taken);
}

static int take_rested(struct recorder_seconds *seconds, bool whatever_it_costs,
                       int (*take)(struct recorder_seconds *seconds), uint64_t *rest_ns)
{
    uint64_t now_ns = clock_ns(CLOCK_BOOTTIME), cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    int r;

    if (now_ns < *rest_ns && !whatever_it_costs)
        return 0;
    r = take(seconds);
    *rest_ns = now_ns + REST * (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns);
    return r;
}

int recorder_seconds_take(struct recorder_seconds *seconds, bool whatever_it_costs)
{
    int r = take_rested(seconds, whatever_it_costs, take_flows, &seconds->flows_rest_ns);

    return r < 0 ? r : take_rested(seconds, whatever_it_costs, take_links, &seconds->links_rest_ns);
}

const struct seconds *recorder_seconds_taken(const struct recorder_seconds *seconds)
{
    return &seconds->taken;
}
