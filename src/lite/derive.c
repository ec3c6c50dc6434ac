/* SPDX-License-Identifier: MIT */
/* nwho-lite shows neither interfaces nor counters: in place of derive/rates_counters.c, reconcile.c
 * and link_history.c. */
#include "derive/link_history.h"
#include "derive/rates_counters.h"
#include "derive/reconcile.h"

int rates_of_counters(const struct snapshot *now, const struct snapshot *before,
                      struct rates *ret_rates)
{
    (void)now;
    (void)before;
    (void)ret_rates;
    return 0;
}

int reconcile(const struct snapshot *now, const struct snapshot *before,
              const struct rates *earlier, struct rates *rates)
{
    (void)now;
    (void)before;
    (void)earlier;
    (void)rates;
    return 0;
}

int link_history_make(const struct snapshot *now, const struct rates *rates,
                      const struct link_history *before, struct link_history *ret_history)
{
    (void)now;
    (void)rates;
    (void)before;
    (void)ret_history;
    return 0;
}

void link_history_done(struct link_history *history)
{
    (void)history;
}
