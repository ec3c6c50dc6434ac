/* SPDX-License-Identifier: MIT */
/* Rates of interfaces, what they counted since the first reading, and sums of counters. */
#include "table/interface_cells.h"

#include "base/rate.h"
#include "derive/link_history.h"
#include "derive/reconcile.h"
#include "table/cells.h"

/* --- rates --- */

static struct interface_rate rate_of(const struct view *view, uint32_t row)
{
    return view->rates && view->rates->interfaces ? view->rates->interfaces[row]
                                                  : (struct interface_rate){.known = false};
}

#define RATE_COLUMN(name, member)                                                                  \
    struct value interface_##name(const struct view *view, uint32_t row)                           \
    {                                                                                              \
        struct interface_rate rate = rate_of(view, row);                                           \
        return cell_number(rate.known, rate.member);                                               \
    }

RATE_COLUMN(rx_rate, rx)
RATE_COLUMN(tx_rate, tx)
RATE_COLUMN(rx_packet_rate, rx_packets)
RATE_COLUMN(tx_packet_rate, tx_packets)

/* A share of the bytes since the refresh before, a second: they add up to the rate. */
static struct value share_rate(const struct interface_rate *rate, uint64_t bytes)
{
    if (!rate->shares_known)
        return value_none();
    return value_uint(per_second(bytes, rate->elapsed_ns, 0));
}

#define SHARE_COLUMN(name, member)                                                                 \
    struct value interface_##name(const struct view *view, uint32_t row)                           \
    {                                                                                              \
        struct interface_rate rate = rate_of(view, row);                                           \
        return share_rate(&rate, rate.member);                                                     \
    }

SHARE_COLUMN(rx_named, rx_shares.named)
SHARE_COLUMN(tx_named, tx_shares.named)
SHARE_COLUMN(rx_headers, rx_shares.headers)
SHARE_COLUMN(tx_headers, tx_shares.headers)
SHARE_COLUMN(rx_forwarded, rx_shares.forwarded)
SHARE_COLUMN(tx_forwarded, tx_shares.forwarded)

/* Where only TCP is counted, nobody knows whose the rest is. */
static bool knows_unowned(const struct view *view)
{
    return view->snapshot->accounting == ACCOUNTING_BPF;
}

#define UNOWNED_COLUMNS(direction)                                                                 \
    struct value interface_##direction##_unowned(const struct view *view, uint32_t row)            \
    {                                                                                              \
        struct interface_rate rate = rate_of(view, row);                                           \
        return knows_unowned(view) ? share_rate(&rate, rate.direction##_shares.unowned)            \
                                   : value_none();                                                 \
    }

UNOWNED_COLUMNS(rx)
UNOWNED_COLUMNS(tx)

/* Both directions have the speed for themselves: the busier one counts. */
struct value interface_util(const struct view *view, uint32_t row)
{
    const struct interface *interface = &view->snapshot->interfaces[row];
    struct interface_rate rate = rate_of(view, row);
    uint64_t most = rate.rx > rate.tx ? rate.rx : rate.tx;

    if (!rate.known || !(interface->has & INTERFACE_HAS_SPEED))
        return value_none();
    return value_uint(most * 8 / (interface->speed_mbit * UINT64_C(10000)));
}

/* --- since the first reading --- */

#define RANGE_COLUMN(name, member)                                                                 \
    struct value interface_##name(const struct view *view, uint32_t row)                           \
    {                                                                                              \
        const struct link_past *past = link_history_past(view->links, row);                        \
        return past ? value_uint(past->member) : value_none();                                     \
    }

RANGE_COLUMN(rx_rate_min, rx.least)
RANGE_COLUMN(tx_rate_min, tx.least)
RANGE_COLUMN(rx_rate_max, rx.most)
RANGE_COLUMN(tx_rate_max, tx.most)

#define SINCE_COLUMNS(direction)                                                                   \
    struct value interface_##direction##_rate_avg(const struct view *view, uint32_t row)           \
    {                                                                                              \
        const struct link_past *past = link_history_past(view->links, row);                        \
        return past ? value_uint(link_history_mean(                                                \
                          past, view->snapshot, past->first.direction##_bytes,                     \
                          view->snapshot->interfaces[row].stats.direction##_bytes))                \
                    : value_none();                                                                \
    }                                                                                              \
                                                                                                   \
    struct value interface_##direction##_since(const struct view *view, uint32_t row)              \
    {                                                                                              \
        const struct link_past *past = link_history_past(view->links, row);                        \
        return past ? value_uint(view->snapshot->interfaces[row].stats.direction##_bytes -         \
                                 past->first.direction##_bytes)                                    \
                    : value_none();                                                                \
    }

SINCE_COLUMNS(rx)
SINCE_COLUMNS(tx)

RATE_COLUMN(rx_window, rx_bytes)
RATE_COLUMN(tx_window, tx_bytes)

/* --- what the bytes are made of: the parts add up --- */

#define PART_COLUMNS(direction, name, known)                                                       \
    struct value interface_##direction##_##name##_window(const struct view *view, uint32_t row)    \
    {                                                                                              \
        struct interface_rate rate = rate_of(view, row);                                           \
        return cell_number((known) && rate.shares_known, rate.direction##_shares.name);            \
    }                                                                                              \
                                                                                                   \
    struct value interface_##direction##_##name##_since(const struct view *view, uint32_t row)     \
    {                                                                                              \
        const struct link_past *past = link_history_past(view->links, row);                        \
        return (known) && past && past->shares_known ? value_uint(past->direction##_shares.name)   \
                                                     : value_none();                               \
    }

#define ALL_PARTS(direction)                                                                       \
    PART_COLUMNS(direction, named, true)                                                           \
    PART_COLUMNS(direction, headers, true)                                                         \
    PART_COLUMNS(direction, forwarded, true)                                                       \
    PART_COLUMNS(direction, unowned, knows_unowned(view))

ALL_PARTS(rx)
ALL_PARTS(tx)

struct value interface_stacked(const struct view *view, uint32_t row)
{
    return value_bool(reconcile_is_stacked(view->snapshot, &view->snapshot->interfaces[row]));
}

/* --- sums --- */

struct value interface_errors(const struct view *view, uint32_t row)
{
    const struct interface *interface = &view->snapshot->interfaces[row];

    return cell_number(interface->has & INTERFACE_HAS_STATS,
                       interface->stats.rx_errors + interface->stats.tx_errors);
}

struct value interface_drops(const struct view *view, uint32_t row)
{
    const struct interface *interface = &view->snapshot->interfaces[row];
    uint64_t queue = interface->has & INTERFACE_HAS_QDISC ? interface->queue.drops : 0;

    return cell_number(interface->has & INTERFACE_HAS_STATS,
                       interface->stats.rx_dropped + interface->stats.tx_dropped + queue);
}
