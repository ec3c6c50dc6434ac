/* SPDX-License-Identifier: MIT */
/* The table of counters: one row a counter of a namespace, in the order of the kernel's files. */
#include "base/buf.h"
#include "derive/rates.h"
#include "table/cells.h"
#include "table/counter_meanings.h"

static const struct counter *get_counter(const struct view *view, uint32_t row)
{
    return &view->snapshot->counters[row];
}

static struct value get_name(const struct view *view, uint32_t row)
{
    return cell_string(view, get_counter(view, row)->name);
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_counter(view, row)->netns);
}

static struct value get_group(const struct view *view, uint32_t row)
{
    return cell_string(view, get_counter(view, row)->group);
}

static struct value get_label(const struct view *view, uint32_t row)
{
    return cell_string(view, get_counter(view, row)->label);
}

static struct value signed_number(int64_t number)
{
    if (number >= 0)
        return value_uint((uint64_t)number);
    return (struct value){.type = VALUE_INT, .integer = number};
}

static struct value get_value(const struct view *view, uint32_t row)
{
    const struct counter *counter = get_counter(view, row);

    return counter->flags & COUNTER_NEGATIVE ? signed_number((int64_t)counter->value)
                                             : value_uint(counter->value);
}

static struct value get_source(const struct view *view, uint32_t row)
{
    static const char *const names[COUNTER_SOURCE_MAX] = {
        [COUNTER_SNMP] = "snmp",
        [COUNTER_NETSTAT] = "netstat",
        [COUNTER_SNMP6] = "snmp6",
        [COUNTER_SOCKSTAT] = "sockstat",
        [COUNTER_SOCKSTAT6] = "sockstat6",
        [COUNTER_SOFTNET] = "softnet_stat",
        [COUNTER_XFRM] = "xfrm_stat",
        [COUNTER_SCTP] = "sctp/snmp",
        [COUNTER_CONNTRACK] = "stat/nf_conntrack",
    };

    return value_name(names[get_counter(view, row)->source]);
}

static struct value get_cpu(const struct view *view, uint32_t row)
{
    uint32_t cpu = get_counter(view, row)->cpu;

    return cell_number(cpu > 0, cpu - 1);
}

static struct value get_gauge(const struct view *view, uint32_t row)
{
    return value_bool(get_counter(view, row)->flags & COUNTER_GAUGE);
}

static struct value get_scope(const struct view *view, uint32_t row)
{
    return value_name(get_counter(view, row)->flags & COUNTER_MACHINE ? "machine" : "netns");
}

static struct value get_meaning(const struct view *view, uint32_t row)
{
    size_t length;
    const char *name = snapshot_string(view->snapshot, get_counter(view, row)->name, &length);
    const char *meaning = counter_meaning(name, length);

    return meaning ? value_name(meaning) : value_none();
}

static const struct counter_rate *rate_of(const struct view *view, uint32_t row)
{
    const struct counter_rate *rate =
        view->rates && view->rates->counters ? &view->rates->counters[row] : NULL;

    return rate && rate->known ? rate : NULL;
}

static struct value get_delta(const struct view *view, uint32_t row)
{
    const struct counter_rate *rate = rate_of(view, row);

    return rate ? signed_number(rate->delta) : value_none();
}

static struct value get_rate(const struct view *view, uint32_t row)
{
    const struct counter_rate *rate = rate_of(view, row);

    return rate ? signed_number(rate->rate) : value_none();
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define SHOWN_RATE (COLUMN_MACHINE | COLUMN_RATE)

static const struct column columns[] = {
    {"counter", "COUNTER", "Name, as nstat writes it; SockTCPInuse for \"TCP: inuse\" of sockstat",
     KIND_TEXT, SHOWN | COLUMN_KEY, 0, get_name},
    {"scope", "SCOPE", "machine: the same in every namespace; netns: of this namespace", KIND_NAME,
     COLUMN_MACHINE, 0, get_scope},
    {"value", "VALUE", "What it has counted since the namespace was made, or a gauge shows now",
     KIND_COUNT, SHOWN, 0, get_value},
    {"delta", "DELTA", "How much it grew since the reading before", KIND_COUNT, SHOWN_RATE, 0,
     get_delta},
    {"rate", "PER-SEC", "The same per second, rounded", KIND_COUNT, SHOWN_RATE, 0, get_rate},
    {"group", "GROUP", "What the kernel puts it under: Ip, TcpExt, Udp6, TCP", KIND_TEXT,
     COLUMN_MACHINE, 0, get_group},
    {"label", "LABEL", "What the kernel calls it there", KIND_TEXT, COLUMN_MACHINE, 0, get_label},
    {"source", "SOURCE", "File of /proc/net that has it", KIND_NAME, COLUMN_MACHINE, 0, get_source},
    {"cpu", "CPU", "Processor (softnet_stat); none: all together", KIND_ID,
     COLUMN_MACHINE | COLUMN_KEY, 0, get_cpu},
    {"gauge", "GAUGE", "Goes up and down", KIND_BOOL, COLUMN_MACHINE, 0, get_gauge},
    {"netns", "NETNS", "Network namespace", KIND_TEXT, COLUMN_MACHINE | COLUMN_KEY, 0, get_netns},
    {"meaning", "MEANING", "What it says, for those that are well known", KIND_TEXT, SHOWN, 0,
     get_meaning},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->counters_count;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    return counter_identity(view->snapshot, get_counter(view, row));
}

static const char *const words[] = {"counter", NULL};

const struct table table_counters = {
    .name = "counters",
    .help = "Counters of the protocols",
    .needs = NEED_COUNTERS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "a part of the name of a counter",
    .words_are_parts = true,
    .row_count = row_count,
    .identity = row_identity,
};
