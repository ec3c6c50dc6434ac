/* SPDX-License-Identifier: MIT */
/* Keeps the ends of sockets between two readings. */
#include "collect/traffic_ends.h"

#include "base/vec.h"
#include "collect/traffic_counts.h"

#include <string.h>

/* Of each kind. */
#define KEPT_MAX 262144

/* Makes room for one more. -ENOBUFS: there are enough. */
#define KEEP(kept, items)                                                                          \
    ((kept)->items##_count < KEPT_MAX                                                              \
         ? VEC_RESERVE(&(kept)->items, &(kept)->items##_capacity, (kept)->items##_count, 1)        \
         : -ENOBUFS)

static int keep_end(void *context, const void *record, size_t size)
{
    struct traffic_ends *ends = context;
    int r = size < sizeof(*ends->ends) ? -EBADMSG : KEEP(ends, ends);

    if (r == 0)
        memcpy(&ends->ends[ends->ends_count++], record, sizeof(*ends->ends));
    ends->dropped += r == -ENOBUFS;
    return r == -ENOBUFS ? 0 : r;
}

static int keep_close(void *context, const void *record, size_t size)
{
    struct traffic_ends *ends = context;
    int r = size < sizeof(*ends->closes) ? -EBADMSG : KEEP(ends, closes);

    if (r == 0)
        memcpy(&ends->closes[ends->closes_count++], record, sizeof(*ends->closes));
    ends->dropped += r == -ENOBUFS;
    return r == -ENOBUFS ? 0 : r;
}

/*
 * Ends before closes: a socket is closed before it is destroyed, so that what closed a socket whose
 * end is kept is kept as well.
 */
int traffic_ends_keep(struct traffic_ends *ends)
{
    int r = 0;

    traffic_was_told(&ends->end);
    traffic_was_told(&ends->close);
    if (ends->end.skeleton)
        r = ring_read(&ends->end.ring, keep_end, ends);
    if (r == 0 && ends->close.skeleton)
        r = ring_read(&ends->close.ring, keep_close, ends);
    return r;
}

void traffic_ends_begin(struct traffic_ends *ends)
{
    ends->early_closes = ends->closes_count;
    ends->early_ends = ends->ends_count;
}

int traffic_ends_report(struct traffic_ends *ends, struct traffic_sockets *sockets,
                        struct flow_table *table, uint64_t now_ns)
{
    int r = 0;

    for (uint32_t i = 0; i < ends->early_closes && r == 0; i++)
        r = traffic_sockets_drop(sockets, table, ends->closes[i].cookie, now_ns);
    for (uint32_t i = ends->early_closes; i < ends->closes_count && r == 0; i++)
        r = traffic_sockets_close(sockets, table, &ends->closes[i], now_ns);
    for (uint32_t i = ends->early_ends; i < ends->ends_count && r == 0; i++)
        r = traffic_sockets_end(sockets, table, &ends->ends[i], now_ns);
    ends->early_closes = ends->closes_count = ends->early_ends = ends->ends_count = 0;
    return r;
}

uint64_t traffic_ends_lost(const struct traffic_ends *ends)
{
    uint64_t lost = ends->dropped;

    if (ends->end.skeleton)
        lost += __atomic_load_n(&ends->end.state->lost, __ATOMIC_RELAXED);
    if (ends->close.skeleton)
        lost += __atomic_load_n(&ends->close.state->lost, __ATOMIC_RELAXED);
    return lost;
}

void traffic_ends_open(struct traffic_ends *ends, uint32_t pidns)
{
    ends->end_error = traffic_program_open(TRAFFIC_END, pidns, &ends->end);
    ends->close_error = traffic_program_open(TRAFFIC_CLOSE, pidns, &ends->close);
}

void traffic_ends_done(struct traffic_ends *ends)
{
    traffic_program_close(&ends->end);
    traffic_program_close(&ends->close);
    free(ends->ends);
    free(ends->closes);
    *ends = TRAFFIC_ENDS_INIT;
}
