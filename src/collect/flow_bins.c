/* SPDX-License-Identifier: MIT */
/* Bins: rings of sums, of which the newest ones make a window. */
#include "collect/flow_bins.h"

/* Readings come a little early or late: this much of a time counts as all of it. */
#define NEARLY(ns) ((ns) / 20 * 19)

static struct traffic *bin_of(struct bins *bins, uint32_t step)
{
    return &bins->bytes[step % BINS_MAX];
}

/* The steps that the flow did not see had no bytes. */
static void catch_up(struct bins *bins, uint32_t step)
{
    uint32_t missed = step - bins->step;

    for (uint32_t i = 0; i < missed && i < BINS_MAX; i++)
        *bin_of(bins, step - i) = (struct traffic){0};
    bins->step = step;
}

void bins_add(struct bins *bins, const struct bin_clock *clock, struct traffic bytes)
{
    catch_up(bins, clock->step);
    traffic_add(bin_of(bins, clock->step), bytes);
}

void bins_merge(struct bins *bins, const struct bin_clock *clock, const struct bins *other)
{
    struct bins added = *other;

    catch_up(bins, clock->step);
    catch_up(&added, clock->step);
    for (uint32_t i = 0; i < BINS_MAX; i++)
        traffic_add(&bins->bytes[i], added.bytes[i]);
}

void bin_clock_advance(struct bin_clock *clock, uint64_t elapsed_ns)
{
    uint64_t *length = &clock->length_ns[clock->step % BINS_MAX];

    *length += elapsed_ns;
    if (*length >= NEARLY(clock->span_ns)) {
        clock->step++;
        clock->length_ns[clock->step % BINS_MAX] = 0;
    }
}

/* How many bins, the newest first, make the window; *ret_length: what they are long together. */
static uint32_t count_bins(const struct bin_clock *clock, uint64_t window_ns, uint64_t *ret_length)
{
    uint32_t count = 0;
    uint64_t length = 0;

    while (count < BINS_MAX && length < NEARLY(window_ns))
        length += clock->length_ns[(clock->step - count++) % BINS_MAX];
    *ret_length = length;
    return count;
}

uint64_t bin_clock_window(const struct bin_clock *clock, uint64_t window_ns)
{
    uint64_t length;

    count_bins(clock, window_ns, &length);
    return length;
}

struct traffic bins_window(const struct bins *bins, const struct bin_clock *clock,
                           uint64_t window_ns)
{
    struct traffic sum = {0};
    uint64_t length;
    uint32_t count = count_bins(clock, window_ns, &length);
    uint32_t behind = clock->step - bins->step; /* newest bins that this flow does not have */

    for (uint32_t i = behind; i < count; i++)
        traffic_add(&sum, bins->bytes[(clock->step - i) % BINS_MAX]);
    return sum;
}
