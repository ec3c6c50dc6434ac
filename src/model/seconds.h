/* SPDX-License-Identifier: MIT */
/* Seconds: what flows and interfaces counted in the time between two ticks, piece by piece. */
#pragma once

#include "base/cleanup.h"
#include "model/flow.h"
#include "model/interface.h"

#include <stdint.h>

/* One reading between two ticks; what it counted is since the one before, or since the tick. */
struct second {
    uint64_t time_ns; /* CLOCK_REALTIME of its end */
    uint64_t boot_ns; /* the same, CLOCK_BOOTTIME */
    uint32_t end;     /* index behind its last sample; the first is where the one before ends */
};

/* There may be several of one flow in a second. Short: a busy machine has many. */
struct flow_sample {
    uint32_t flow; /* low half of its id */
    uint32_t rx_bytes, tx_bytes;
};

struct link_sample {
    uint32_t netns; /* inode */
    uint32_t ifindex;
    struct link_stats more;
};

/* All zero: none. */
struct seconds {
    struct second *of_flows, *of_links;
    struct flow_sample *flows;
    struct link_sample *links;
    uint32_t of_flows_count, of_flows_capacity, of_links_count, of_links_capacity;
    uint32_t flows_count, flows_capacity, links_count, links_capacity;
};

/* Samples of the second that is ended next. 0 or -ENOMEM. */
int seconds_add_flow(struct seconds *seconds, uint64_t id, struct traffic bytes) MUST_CHECK;
int seconds_add_link(struct seconds *seconds, const struct link_sample *sample) MUST_CHECK;

int seconds_end_flows(struct seconds *seconds, uint64_t time_ns, uint64_t boot_ns) MUST_CHECK;
int seconds_end_links(struct seconds *seconds, uint64_t time_ns, uint64_t boot_ns) MUST_CHECK;

/* Keeps the memory. */
void seconds_clear(struct seconds *seconds);
void seconds_done(struct seconds *seconds);
