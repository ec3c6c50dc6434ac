/* SPDX-License-Identifier: MIT */
/* The history of interfaces: first counters, extremes of rates. */
#include "derive/link_history.h"

#include "base/rate.h"

static void begin(struct link_past *past, const struct snapshot *now,
                  const struct interface *interface)
{
    *past = (struct link_past){.first = interface->stats, .first_ns = now->boot_ns};
}

static void extend(struct link_range *range, uint64_t rate, bool is_first)
{
    if (is_first || rate < range->least)
        range->least = rate;
    if (is_first || rate > range->most)
        range->most = rate;
}

static void add_shares(struct interface_shares *sum, const struct interface_shares *more)
{
    sum->named += more->named;
    sum->headers += more->headers;
    sum->forwarded += more->forwarded;
    sum->unowned += more->unowned;
}

static void continue_by(struct link_past *past, const struct interface_rate *rate)
{
    extend(&past->rx, rate->rx, past->rates == 0);
    extend(&past->tx, rate->tx, past->rates == 0);
    add_shares(&past->rx_shares, &rate->rx_shares);
    add_shares(&past->tx_shares, &rate->tx_shares);
    past->shares_known = rate->shares_known && (past->shares_known || past->rates == 0);
    past->rates += past->rates < UINT32_MAX;
}

int link_history_make(const struct snapshot *now, const struct rates *rates,
                      const struct link_history *before, struct link_history *ret_history)
{
    struct link_past *links = calloc(now->interfaces_count + 1u, sizeof(*links));

    if (!links)
        return -ENOMEM;
    for (uint32_t i = 0; i < now->interfaces_count; i++) {
        const struct interface_rate *rate =
            rates && rates->interfaces ? &rates->interfaces[i] : NULL;

        if (rate && rate->known && rate->before < before->count) {
            links[i] = before->links[rate->before];
            continue_by(&links[i], rate);
        } else {
            begin(&links[i], now, &now->interfaces[i]);
        }
    }
    *ret_history = (struct link_history){.links = links, .count = now->interfaces_count};
    return 0;
}

void link_history_done(struct link_history *history)
{
    free(history->links);
    *history = (struct link_history){.links = NULL};
}

const struct link_past *link_history_past(const struct link_history *history, uint32_t interface)
{
    return history && interface < history->count && history->links[interface].rates
               ? &history->links[interface]
               : NULL;
}

uint64_t link_history_mean(const struct link_past *past, const struct snapshot *now, uint64_t first,
                           uint64_t counter)
{
    uint64_t elapsed_ns = now->boot_ns - past->first_ns;

    return per_second(counter - first, elapsed_ns, 0);
}
