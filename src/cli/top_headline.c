/* SPDX-License-Identifier: MIT */
/* What `nwho top` says above its rows: how exactly it is counted, all of them together, and what
 * the bytes of the interfaces are made of. */
#include "cli/top_screen.h"

#include "base/rate.h"
#include "base/units.h"

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

static void put_rates(const struct session *session, struct buf *out, const char *label,
                      const char *rate, const char *bytes)
{
    const struct view *view = &session->now->view;
    uint64_t window_ns = view->snapshot->window_ns[FLOW_LAST];
    struct group_number last = group_sum(view->group, rate);
    uint64_t a_second = per_second(last.number, window_ns, 0.5);

    buf_puts(out, label);
    buf_byte(out, ' ');
    if (session->options->bytes)
        units_write(out, UNIT_BYTES_PER_SECOND, a_second);
    else
        units_write_bit_rate(out, a_second);
    buf_puts(out, ", ");
    units_write_bytes(out, group_sum(view->group, bytes).number);
    buf_puts(out, " in all");
}

void top_put_headline(const struct session *session, struct buf *out)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    size_t start;

    buf_puts(out, "  ");
    buf_puts(out, accounting_level_label(snapshot->accounting));
    if (snapshot->accounting <= ACCOUNTING_INTERFACES)
        return;
    put_rates(session, out, "  rx", "rx_rate", "rx_bytes");
    put_rates(session, out, "  tx", "tx_rate", "tx_bytes");
    start = out->length;
    buf_byte(out, '\n');
    top_put_reconcile(session, out);
    if (out->length == start + 1) /* it is not known yet */
        out->length = start;
}
