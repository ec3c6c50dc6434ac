/* SPDX-License-Identifier: MIT */
/* Seconds: arrays of samples, and where each second ends in them. */
#include "model/seconds.h"

#include "base/vec.h"

#include <stdlib.h>

static uint32_t take_part(uint64_t *number)
{
    uint32_t part = *number > UINT32_MAX ? UINT32_MAX : (uint32_t)*number;

    *number -= part;
    return part;
}

int seconds_add_flow(struct seconds *seconds, uint64_t id, struct traffic bytes)
{
    int r = 0;

    while (r == 0 && (bytes.rx_bytes || bytes.tx_bytes)) {
        r = VEC_RESERVE(&seconds->flows, &seconds->flows_capacity, seconds->flows_count, 1);
        if (r == 0)
            seconds->flows[seconds->flows_count++] =
                (struct flow_sample){.flow = (uint32_t)id,
                                     .rx_bytes = take_part(&bytes.rx_bytes),
                                     .tx_bytes = take_part(&bytes.tx_bytes)};
    }
    return r;
}

int seconds_add_link(struct seconds *seconds, const struct link_sample *sample)
{
    int r = VEC_RESERVE(&seconds->links, &seconds->links_capacity, seconds->links_count, 1);

    if (r == 0)
        seconds->links[seconds->links_count++] = *sample;
    return r;
}

int seconds_end_flows(struct seconds *seconds, uint64_t time_ns, uint64_t boot_ns)
{
    int r =
        VEC_RESERVE(&seconds->of_flows, &seconds->of_flows_capacity, seconds->of_flows_count, 1);

    if (r == 0)
        seconds->of_flows[seconds->of_flows_count++] =
            (struct second){time_ns, boot_ns, seconds->flows_count};
    return r;
}

int seconds_end_links(struct seconds *seconds, uint64_t time_ns, uint64_t boot_ns)
{
    int r =
        VEC_RESERVE(&seconds->of_links, &seconds->of_links_capacity, seconds->of_links_count, 1);

    if (r == 0)
        seconds->of_links[seconds->of_links_count++] =
            (struct second){time_ns, boot_ns, seconds->links_count};
    return r;
}

void seconds_clear(struct seconds *seconds)
{
    seconds->of_flows_count = seconds->of_links_count = 0;
    seconds->flows_count = seconds->links_count = 0;
}

void seconds_done(struct seconds *seconds)
{
    free(seconds->of_flows);
    free(seconds->of_links);
    free(seconds->flows);
    free(seconds->links);
    *seconds = (struct seconds){0};
}
