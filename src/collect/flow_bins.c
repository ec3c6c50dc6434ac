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

struct bin_window bin_clock_window(const struct bin_clock *clock, uint64_t window_ns)
{
    struct bin_window window = {0};

    while (window.count < BINS_MAX && window.length_ns < NEARLY(window_ns))
        window.length_ns += clock->length_ns[(clock->step - window.count++) % BINS_MAX];
    return window;
}

struct traffic bins_window(const struct bins *bins, const struct bin_clock *clock,
                           const struct bin_window *window)
{
    struct traffic sum = {0};
    uint32_t behind = clock->step - bins->step; /* newest bins that this flow does not have */
    uint32_t at = bins->step % BINS_MAX;

    for (uint32_t i = behind; i < window->count; i++) {
        traffic_add(&sum, bins->bytes[at]);
        at = at ? at - 1 : BINS_MAX - 1;
    }
    return sum;
}
