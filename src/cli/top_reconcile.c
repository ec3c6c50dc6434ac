/* SPDX-License-Identifier: MIT */
/* What the bytes of the interfaces are made of, as one line of `nwho top`. */
#include "cli/top_screen.h"

struct sum {
    double named, headers, forwarded, unowned;
};

static void add_shares(struct sum *sum, const struct interface_shares *shares)
{
    sum->named += (double)shares->named;
    sum->headers += (double)shares->headers;
    sum->forwarded += (double)shares->forwarded;
    sum->unowned += (double)shares->unowned;
}

/* Only the payload is counted as such: how the rest is parted follows from numbers of packets. */
static void put_share(struct buf *out, const char *name, const char *about, double part, double all)
{
    buf_printf(out, " %s %s%.1f%%", name, about, part * 100 / all);
}

bool top_is_ours(const struct snapshot *snapshot, const struct interface *interface)
{
    return snapshot->netns[interface->netns].flags & NETNS_SELF;
}

bool top_is_asked_for(const struct session *session, const struct interface *interface)
{
    const struct options *options = session->options;

    return options->all_netns || options->namespace_count || options->container ||
           top_is_ours(&session->now->snapshot, interface);
}

void top_put_reconcile(const struct session *session, struct buf *out)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    const struct rates *rates = &session->now->rates;
    struct sum sum = {0};
    bool known = false;
    double all;

    for (uint32_t i = 0; rates->interfaces && i < snapshot->interfaces_count; i++) {
        const struct interface_rate *rate = &rates->interfaces[i];

        if (!rate->shares_known || reconcile_is_stacked(snapshot, &snapshot->interfaces[i]) ||
            !top_is_asked_for(session, &snapshot->interfaces[i]))
            continue;
        known = true;
        add_shares(&sum, &rate->rx_shares);
        add_shares(&sum, &rate->tx_shares);
    }
    all = sum.named + sum.headers + sum.forwarded + sum.unowned;
    if (!known)
        return;
    buf_puts(out, "interfaces:");
    if (all <= 0) {
        buf_puts(out, " no bytes");
        return;
    }
    put_share(out, "named", "", sum.named, all);
    put_share(out, "headers", "~", sum.headers, all);
    put_share(out, "forwarded", "~", sum.forwarded, all);
    /* Where only TCP is counted, the rest may well be somebody's. */
    put_share(out, snapshot->accounting == ACCOUNTING_BPF ? "unowned" : "unknown", "~", sum.unowned,
              all);
}
