/* SPDX-License-Identifier: MIT */
/* What the screen of `nwho top` says above its table: interfaces, and what their bytes are made of.
 */
#include "cli/top_screen.h"

#include "base/vec.h"
#include "table/flow_doubts.h"

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

static void take_parts(const struct interface_rate *rate, struct tui_interface *shown)
{
    const struct interface_shares *rx = &rate->rx_shares, *tx = &rate->tx_shares;

    shown->parts_known = rate->shares_known;
    shown->named = rx->named + tx->named;
    shown->headers = rx->headers + tx->headers;
    shown->forwarded = rx->forwarded + tx->forwarded;
    shown->unowned = rx->unowned + tx->unowned;
}

static int add_interface(struct top_screen *screen, uint32_t index)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    const struct rates *rates = &screen->session.now->rates;
    const struct interface *interface = &snapshot->interfaces[index];
    const struct interface_rate *rate = rates->interfaces ? &rates->interfaces[index] : NULL;
    uint64_t identity = interface_identity(snapshot, interface);
    const struct top_interface_zero *zero = zero_of(screen, interface, identity);
    struct tui_interface shown = {.identity = identity};
    size_t length;

    shown.name = snapshot_string(snapshot, interface->name, &length);
    shown.netns = top_is_ours(snapshot, interface)
                      ? NULL
                      : snapshot_string(snapshot, snapshot->netns[interface->netns].name, &length);
    shown.loopback = interface->flags & IFF_LOOPBACK;
    if (rate && rate->known) {
        shown.known = true;
        shown.rx = rate->rx;
        shown.tx = rate->tx;
        shown.rx_packets = rate->rx_packets;
        shown.tx_packets = rate->tx_packets;
        take_parts(rate, &shown);
        shown.unowned_known = shown.parts_known && snapshot->accounting == ACCOUNTING_BPF;
    }
    if (zero) {
        shown.errors = since(errors_of(interface), zero->errors);
        shown.drops = since(drops_of(interface), zero->drops);
    }
    return top_add_interface(screen, &shown);
}

int top_add_interface(struct top_screen *screen, const struct tui_interface *interface)
{
    int r =
        VEC_RESERVE(&screen->interfaces, &screen->interface_capacity, screen->interface_count, 1);

    if (r == 0)
        screen->interfaces[screen->interface_count++] = *interface;
    return r;
}

static int compare_interfaces(const void *a, const void *b)
{
    const struct tui_interface *x = a, *y = b;
    uint64_t x_rate = x->rx + x->tx, y_rate = y->rx + y->tx;

    if (x_rate != y_rate)
        return x_rate > y_rate ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The busiest first. */
void top_sort_interfaces(struct top_screen *screen)
{
    if (screen->interface_count)
        qsort(screen->interfaces, screen->interface_count, sizeof(*screen->interfaces),
              compare_interfaces);
}

/* The strip has a few lines: those of this namespace, or of those asked for, that are up. */
int top_take_interfaces(struct top_screen *screen)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    int r = 0;

    screen->interface_count = 0;
    for (uint32_t i = 0; i < snapshot->interfaces_count && r == 0; i++) {
        const struct interface *interface = &snapshot->interfaces[i];

        if (!(interface->has & INTERFACE_HAS_STATS) || !(interface->flags & IFF_UP))
            continue;
        if (top_is_asked_for(&screen->session, interface))
            r = add_interface(screen, i);
    }
    top_sort_interfaces(screen);
    return r;
}

/* --- the lines --- */

/* Without names of control groups nothing is missed where no row is told by them. */
static bool is_missed(const struct top_screen *screen, const struct note *note)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    size_t length;

    return screen->about & NEED_CGROUP || note->effect != NOTE_DETAIL ||
           strcmp(snapshot_string(snapshot, note->source, &length), "cgroup2") != 0;
}

/* All that is missing, for the help screen, and the first that is missed for this one. */
static void put_notes(struct top_screen *screen)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;

    for (uint32_t i = 0; i < snapshot->notes_count; i++) {
        const struct note *note = &snapshot->notes[i];
        size_t length;
        const char *text = snapshot_string(snapshot, note->text, &length);

        if (note->effect == NOTE_INFO)
            continue;
        buf_printf(&screen->notes, "%s%s", screen->notes.length ? "\n" : "", text);
        if (screen->note.length == 0 && is_missed(screen, note))
            buf_puts(&screen->note, text);
    }
}

/* Beside the rows, for the question that was last answered. */
static void put_doubts(struct top_screen *screen)
{
    struct query rows = {.table = &table_flows, .filter = screen->filter};
    struct flow_doubts doubts;

    if (flow_doubts_find(&screen->session.now->view, &rows, &screen->plans[screen->filter_grouping],
                         &doubts) < 0)
        return;
    flow_doubts_write_unmatched(&doubts, &screen->note);
    if (screen->note.length == 0)
        flow_doubts_write_unnamed(&doubts, &screen->note);
}

void top_status(void *context, struct tui_status *ret_status)
{
    struct top_screen *screen = context;
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    size_t length;

    buf_renew(&screen->accounting);
    buf_renew(&screen->reconcile);
    buf_renew(&screen->note);
    buf_renew(&screen->notes);
    buf_puts(&screen->accounting, accounting_level_label(snapshot->accounting));
    top_put_reconcile(&screen->session, &screen->reconcile);
    put_notes(screen);
    if (screen->note.length == 0)
        put_doubts(screen);
    *ret_status = (struct tui_status){
        .host = snapshot_string(snapshot, snapshot->host, &length),
        .time_ns = snapshot->time_ns,
        .accounting = buf_string(&screen->accounting),
        .reconcile = buf_string(&screen->reconcile),
        .note = buf_string(&screen->note),
        .notes = buf_string(&screen->notes),
        .exact = snapshot->accounting == ACCOUNTING_BPF,
        .interfaces = screen->interfaces,
        .interface_count = screen->interface_count,
    };
}

/* --- totals from zero on --- */

static struct traffic minus(struct traffic total, struct traffic before)
{
    return (struct traffic){.rx_bytes = since(total.rx_bytes, before.rx_bytes),
                            .tx_bytes = since(total.tx_bytes, before.tx_bytes)};
}

/* Totals as they are counted, before anything is taken from them. */
static int take_totals(struct top_screen *screen)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;
    int r = VEC_RESERVE(&screen->totals, &screen->total_capacity, 0, snapshot->flows_count + 1);

    screen->total_count = r == 0 ? snapshot->flows_count : 0;
    for (uint32_t i = 0; i < screen->total_count; i++) {
        const struct flow *flow = &snapshot->flows[i];
        struct top_zero *total = &screen->totals[i];
        size_t length;
        const char *comm = snapshot_string(snapshot, flow->comm, &length);

        *total = (struct top_zero){.flow = flow->id,
                                   .cgroup_id = flow->cgroup_id,
                                   .pid = flow->pid,
                                   .uid = flow->uid,
                                   .total = flow->total};
        memcpy(total->comm, comm, length < sizeof(total->comm) ? length : sizeof(total->comm));
    }
    return r;
}

/* Among those that have ended: its cgroup, or all of them. */
static bool has_name(const struct top_zero *zero, const struct top_zero *folded)
{
    return zero->uid == folded->uid && memcmp(zero->comm, folded->comm, sizeof(zero->comm)) == 0 &&
           (zero->cgroup_id == folded->cgroup_id || !folded->cgroup_id);
}

/*
 * A flow that is listed no more is part of the folded one of its process, or, when that has ended,
 * of its name: so is what it had.
 */
static void fold_zeros(struct top_screen *screen, uint32_t index)
{
    struct flow *folded = &screen->session.now->snapshot.flows[index];
    const struct top_zero *facts = &screen->totals[index];

    for (uint32_t i = 0; i < screen->zero_count; i++) {
        struct top_zero *zero = &screen->zeros[i];
        bool same = folded->pid ? zero->pid == folded->pid : has_name(zero, facts);

        if (zero->seen || !same)
            continue;
        zero->seen = true;
        folded->total = minus(folded->total, zero->total);
    }
}

static void fold_all_zeros(struct top_screen *screen, bool of_processes)
{
    const struct snapshot *snapshot = &screen->session.now->snapshot;

    for (uint32_t i = 0; i < screen->total_count; i++)
        if (snapshot->flows[i].flags & FLOW_FOLDED && (snapshot->flows[i].pid != 0) == of_processes)
            fold_zeros(screen, i);
}

/* Takes what there was at zero from the totals of the reading. */
int top_apply_zero(struct top_screen *screen)
{
    struct snapshot *snapshot = &screen->session.now->snapshot;
    CLEANUP(map_done) struct map index = {0};
    int r = take_totals(screen);

    for (uint32_t i = 0; i < screen->zero_count && r == 0; i++) {
        screen->zeros[i].seen = false;
        r = map_set(&index, screen->zeros[i].flow, i);
    }
    if (r < 0 || !screen->zero_count)
        return r;
    for (uint32_t i = 0; i < snapshot->flows_count; i++) {
        uint32_t at = map_get(&index, snapshot->flows[i].id);

        if (at == MAP_NONE)
            continue;
        screen->zeros[at].seen = true;
        snapshot->flows[i].total = minus(snapshot->flows[i].total, screen->zeros[at].total);
    }
    fold_all_zeros(screen, true);
    fold_all_zeros(screen, false);
    return 0;
}

int top_zero(void *context)
{
    struct top_screen *screen = context;
    struct snapshot *snapshot = &screen->session.now->snapshot;
    uint32_t count = screen->total_count;

    if (VEC_RESERVE(&screen->zeros, &screen->zero_capacity, 0, count + 1) < 0)
        return -ENOMEM;
    if (count)
        memcpy(screen->zeros, screen->totals, sizeof(*screen->zeros) * count);
    screen->zero_count = count;
    for (uint32_t i = 0; i < count; i++)
        snapshot->flows[i].total = (struct traffic){0};
    return 0;
}

void top_status_done(struct top_screen *screen)
{
    free(screen->zeros);
    free(screen->totals);
    free(screen->interface_zeros);
    free(screen->interfaces);
    buf_done(&screen->accounting);
    buf_done(&screen->reconcile);
    buf_done(&screen->note);
    buf_done(&screen->notes);
}
