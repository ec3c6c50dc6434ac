/* SPDX-License-Identifier: MIT */
/* What the screen of `nwho top` says above its table: interfaces, and what their bytes are made of.
 */
#include "cli/top_screen.h"

#include "base/vec.h"

#include <net/if.h>
#include <stdio.h>

/* --- interfaces --- */

static const struct top_interface_zero *find_zero(const struct top_screen *screen,
                                                  uint64_t identity)
{
    for (uint32_t i = 0; i < screen->interface_zero_count; i++)
        if (screen->interface_zeros[i].identity == identity)
            return &screen->interface_zeros[i];
    return NULL;
}

static uint64_t errors_of(const struct interface *interface)
{
    return interface->stats.rx_errors + interface->stats.tx_errors;
}

static uint64_t drops_of(const struct interface *interface)
{
    return interface->stats.rx_dropped + interface->stats.tx_dropped +
           interface->stats.rx_missed_errors + interface->queue.drops;
}

/* One that comes later begins with what it has counted by then. */
static const struct top_interface_zero *
zero_of(struct top_screen *screen, const struct interface *interface, uint64_t identity)
{
    const struct top_interface_zero *found = find_zero(screen, identity);
    struct top_interface_zero *zero;

    if (found || VEC_RESERVE(&screen->interface_zeros, &screen->interface_zero_capacity,
                             screen->interface_zero_count, 1) < 0)
        return found;
    zero = &screen->interface_zeros[screen->interface_zero_count++];
    *zero = (struct top_interface_zero){
        .identity = identity, .errors = errors_of(interface), .drops = drops_of(interface)};
    return zero;
}

static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void add_interface(struct top_screen *screen, uint32_t index)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    const struct rates *rates = &screen->session.now->rates;
    const struct interface *interface = &snapshot->interfaces[index];
    const struct interface_rate *rate = rates->interfaces ? &rates->interfaces[index] : NULL;
    uint64_t identity = interface_identity(snapshot, interface);
    const struct top_interface_zero *zero = zero_of(screen, interface, identity);
    struct tui_interface shown = {.identity = identity};
    size_t length;

    if (VEC_RESERVE(&screen->interfaces, &screen->interface_capacity, screen->interface_count, 1))
        return;
    shown.name = snapshot_string(snapshot, interface->name, &length);
    if (rate && rate->known) {
        shown.known = true;
        shown.rx = rate->rx;
        shown.tx = rate->tx;
        shown.rx_packets = rate->rx_packets;
        shown.tx_packets = rate->tx_packets;
    }
    if (zero) {
        shown.errors = since(errors_of(interface), zero->errors);
        shown.drops = since(drops_of(interface), zero->drops);
    }
    screen->interfaces[screen->interface_count++] = shown;
}

static int compare_interfaces(const void *a, const void *b)
{
    const struct tui_interface *x = a, *y = b;
    uint64_t x_rate = x->rx + x->tx, y_rate = y->rx + y->tx;

    if (x_rate != y_rate)
        return x_rate > y_rate ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The strip has a few lines: those of this namespace that are up, the busiest first. */
void top_take_interfaces(struct top_screen *screen)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;

    screen->interface_count = 0;
    for (uint32_t i = 0; i < snapshot->interfaces_count; i++) {
        const struct interface *interface = &snapshot->interfaces[i];

        if (!(interface->has & INTERFACE_HAS_STATS) || !(interface->flags & IFF_UP))
            continue;
        if (interface->netns < snapshot->netns_count &&
            snapshot->netns[interface->netns].flags & NETNS_SELF)
            add_interface(screen, i);
    }
    if (screen->interface_count)
        qsort(screen->interfaces, screen->interface_count, sizeof(*screen->interfaces),
              compare_interfaces);
}

/* --- reconciliation --- */

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

/* What stands on another interface has the same bytes again. */
static bool is_stacked(const struct snapshot *snapshot, const struct interface *interface)
{
    size_t length;
    const char *kind = snapshot_string(snapshot, interface->kind, &length);

    return interface->lower || strcmp(kind, "bridge") == 0 || strcmp(kind, "bond") == 0;
}

static void put_share(struct buf *out, const char *name, double part, double all)
{
    buf_printf(out, "  %s %.1f%%", name, part * 100 / all);
}

static void put_reconcile(struct top_screen *screen)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    const struct rates *rates = &screen->session.now->rates;
    struct sum sum = {0};
    bool known = false;
    double all;

    for (uint32_t i = 0; rates->interfaces && i < snapshot->interfaces_count; i++) {
        const struct interface_rate *rate = &rates->interfaces[i];

        if (!rate->shares_known || is_stacked(snapshot, &snapshot->interfaces[i]))
            continue;
        known = true;
        add_shares(&sum, &rate->rx_shares);
        add_shares(&sum, &rate->tx_shares);
    }
    all = sum.named + sum.headers + sum.forwarded + sum.unowned;
    if (!known)
        return;
    buf_puts(&screen->reconcile, "of interfaces:");
    if (all <= 0) {
        buf_puts(&screen->reconcile, "  no bytes");
        return;
    }
    put_share(&screen->reconcile, "named", sum.named, all);
    put_share(&screen->reconcile, "headers", sum.headers, all);
    put_share(&screen->reconcile, "forwarded", sum.forwarded, all);
    put_share(&screen->reconcile, "unowned", sum.unowned, all);
}

/* The first thing that is missing. */
static void put_note(struct top_screen *screen)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    size_t length;

    for (uint32_t i = 0; i < snapshot->notes_count && screen->note.length == 0; i++)
        if (snapshot->notes[i].effect != NOTE_INFO)
            buf_puts(&screen->note, snapshot_string(snapshot, snapshot->notes[i].text, &length));
}

void top_status(void *context, struct tui_status *ret_status)
{
    struct top_screen *screen = context;
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    size_t length;

    buf_reset(&screen->accounting);
    buf_reset(&screen->reconcile);
    buf_reset(&screen->note);
    buf_puts(&screen->accounting, accounting_level_label(snapshot->accounting));
    put_reconcile(screen);
    put_note(screen);
    *ret_status = (struct tui_status){
        .host = snapshot_string(snapshot, snapshot->host, &length),
        .time_ns = snapshot->time_ns,
        .accounting = buf_string(&screen->accounting),
        .reconcile = buf_string(&screen->reconcile),
        .note = buf_string(&screen->note),
        .exact = snapshot->accounting == ACCOUNTING_BPF,
        .interfaces = screen->interfaces,
        .interface_count = screen->interface_count,
    };
}

/* --- totals from zero on --- */

static struct top_zero *zero_of_flow(struct top_screen *screen, const struct map *index,
                                     uint64_t flow)
{
    uint32_t at = map_get(index, flow);

    return at == MAP_NONE ? NULL : &screen->zeros[at];
}

static struct traffic minus(struct traffic total, struct traffic before)
{
    return (struct traffic){.rx_bytes = since(total.rx_bytes, before.rx_bytes),
                            .tx_bytes = since(total.tx_bytes, before.tx_bytes)};
}

/* A flow that is listed no more is part of the folded one of its process: so is what it had. */
static void fold_zeros(struct top_screen *screen, struct flow *folded)
{
    for (uint32_t i = 0; i < screen->zero_count; i++) {
        const struct top_zero *zero = &screen->zeros[i];

        if (!zero->seen && zero->pid == folded->pid)
            folded->total = minus(folded->total, zero->total);
    }
}

/* Takes what there was at zero from the totals of the reading. */
void top_apply_zero(struct top_screen *screen)
{
    struct snapshot *snapshot = &screen->session.now->snapshot;
    struct map index = {0};
    int r = 0;

    for (uint32_t i = 0; i < screen->zero_count && r == 0; i++) {
        screen->zeros[i].seen = false;
        r = map_set(&index, screen->zeros[i].flow, i);
    }
    for (uint32_t i = 0; screen->zero_count && i < snapshot->flows_count && r == 0; i++) {
        struct flow *flow = &snapshot->flows[i];
        struct top_zero *zero = zero_of_flow(screen, &index, flow->id);

        if (!zero)
            continue;
        zero->seen = true;
        flow->total = minus(flow->total, zero->total);
    }
    for (uint32_t i = 0; screen->zero_count && i < snapshot->flows_count && r == 0; i++)
        if (snapshot->flows[i].flags & FLOW_FOLDED)
            fold_zeros(screen, &snapshot->flows[i]);
    map_done(&index);
}

/* What is shown has the zeros of before taken away already: they are added again. */
static void add_old_zero(struct top_screen *screen, uint32_t old, struct top_zero *zero)
{
    for (uint32_t i = 0; i < old; i++)
        if (screen->zeros[i].flow == zero->flow) {
            zero->total.rx_bytes += screen->zeros[i].total.rx_bytes;
            zero->total.tx_bytes += screen->zeros[i].total.tx_bytes;
            return;
        }
}

int top_zero(void *context)
{
    struct top_screen *screen = context;
    struct snapshot *snapshot = &screen->session.now->snapshot;
    uint32_t old = screen->zero_count, count = snapshot->flows_count;

    if (VEC_RESERVE(&screen->zeros, &screen->zero_capacity, old, count + 1) < 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct flow *flow = &snapshot->flows[i];
        struct top_zero *zero = &screen->zeros[old + i];

        *zero = (struct top_zero){.flow = flow->id, .pid = flow->pid, .total = flow->total};
        add_old_zero(screen, old, zero);
        flow->total = (struct traffic){0};
    }
    memmove(screen->zeros, screen->zeros + old, sizeof(*screen->zeros) * count);
    screen->zero_count = count;
    return 0;
}

void top_status_done(struct top_screen *screen)
{
    free(screen->zeros);
    free(screen->interface_zeros);
    free(screen->interfaces);
    buf_done(&screen->accounting);
    buf_done(&screen->reconcile);
    buf_done(&screen->note);
}
