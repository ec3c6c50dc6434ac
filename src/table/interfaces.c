/* SPDX-License-Identifier: MIT */
/* The table of interfaces: one row an interface of a namespace. */
#include "base/buf.h"
#include "derive/rates.h"
#include "table/cells.h"
#include "table/interface_cells.h"

#include <linux/if.h>

static const struct interface *get_interface(const struct view *view, uint32_t row)
{
    return &view->snapshot->interfaces[row];
}

static bool has(const struct view *view, uint32_t row, uint32_t bits)
{
    return (get_interface(view, row)->has & bits) == bits;
}

/* --- counters --- */

#define STATS_COLUMN(name, bits)                                                                   \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return cell_number(has(view, row, bits), get_interface(view, row)->stats.name);            \
    }

#define STATS INTERFACE_HAS_STATS

STATS_COLUMN(rx_bytes, STATS)
STATS_COLUMN(tx_bytes, STATS)
STATS_COLUMN(rx_packets, STATS)
STATS_COLUMN(tx_packets, STATS)
STATS_COLUMN(rx_errors, STATS)
STATS_COLUMN(tx_errors, STATS)
STATS_COLUMN(rx_dropped, STATS)
STATS_COLUMN(tx_dropped, STATS)
STATS_COLUMN(rx_fifo_errors, STATS)
STATS_COLUMN(tx_fifo_errors, STATS)
STATS_COLUMN(multicast, STATS)
STATS_COLUMN(collisions, STATS)
STATS_COLUMN(rx_missed_errors, STATS)
STATS_COLUMN(rx_length_errors, STATS)
STATS_COLUMN(rx_over_errors, STATS)
STATS_COLUMN(rx_crc_errors, STATS)
STATS_COLUMN(rx_frame_errors, STATS)
STATS_COLUMN(tx_aborted_errors, STATS)
STATS_COLUMN(tx_carrier_errors, STATS)
STATS_COLUMN(tx_heartbeat_errors, STATS)
STATS_COLUMN(tx_window_errors, STATS)
STATS_COLUMN(rx_compressed, STATS)
STATS_COLUMN(tx_compressed, STATS)
STATS_COLUMN(rx_nohandler, INTERFACE_HAS_NOHANDLER)
STATS_COLUMN(rx_otherhost_dropped, INTERFACE_HAS_OTHERHOST)

#define QUEUE_COLUMN(name, member)                                                                 \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return cell_number(has(view, row, INTERFACE_HAS_QDISC),                                    \
                           get_interface(view, row)->queue.member);                                \
    }

QUEUE_COLUMN(qdisc_drops, drops)
QUEUE_COLUMN(qdisc_requeues, requeues)
QUEUE_COLUMN(qdisc_overlimits, overlimits)
QUEUE_COLUMN(qdisc_packets, packets)
QUEUE_COLUMN(qdisc_backlog_bytes, backlog_bytes)

/* --- what it is --- */

static struct value get_iface(const struct view *view, uint32_t row)
{
    return cell_string(view, get_interface(view, row)->name);
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_interface(view, row)->netns);
}

static struct value get_ifindex(const struct view *view, uint32_t row)
{
    return value_uint(get_interface(view, row)->ifindex);
}

static struct value get_operstate(const struct view *view, uint32_t row)
{
    static const char *const names[] = {"unknown", "not-present", "down", "lower-layer-down",
                                        "testing", "dormant",     "up"};
    uint32_t state = get_interface(view, row)->operstate;

    if (!has(view, row, INTERFACE_HAS_LINK))
        return value_none();
    return value_name(state < ARRAY_SIZE(names) ? names[state] : "unknown");
}

/* Drivers without a notion of a carrier (lo, tun) only ever say "unknown". */
static struct value get_state(const struct view *view, uint32_t row)
{
    const struct interface *interface = get_interface(view, row);
    const uint32_t works = IFF_UP | IFF_RUNNING;

    if (has(view, row, INTERFACE_HAS_LINK) && interface->operstate == 0)
        return value_name((interface->flags & works) == works ? "up" : "down");
    return get_operstate(view, row);
}

static struct value get_flags(const struct view *view, uint32_t row)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {IFF_UP, "up"},
        {IFF_BROADCAST, "broadcast"},
        {IFF_DEBUG, "debug"},
        {IFF_LOOPBACK, "loopback"},
        {IFF_POINTOPOINT, "pointopoint"},
        {IFF_NOTRAILERS, "notrailers"},
        {IFF_RUNNING, "running"},
        {IFF_NOARP, "noarp"},
        {IFF_PROMISC, "promisc"},
        {IFF_ALLMULTI, "allmulti"},
        {IFF_MASTER, "master"},
        {IFF_SLAVE, "slave"},
        {IFF_MULTICAST, "multicast"},
        {IFF_PORTSEL, "portsel"},
        {IFF_AUTOMEDIA, "automedia"},
        {IFF_DYNAMIC, "dynamic"},
        {IFF_LOWER_UP, "lower_up"},
        {IFF_DORMANT, "dormant"},
    };

    if (!has(view, row, INTERFACE_HAS_LINK))
        return value_none();
    buf_reset(view->scratch);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (get_interface(view, row)->flags & names[i].bit) {
            if (view->scratch->length)
                buf_byte(view->scratch, ',');
            buf_puts(view->scratch, names[i].name);
        }
    return view->scratch->length ? cell_scratch(view, 0) : value_name("none");
}

static struct value get_flag_bits(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, INTERFACE_HAS_LINK), get_interface(view, row)->flags);
}

static struct value get_mtu(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, INTERFACE_HAS_LINK), get_interface(view, row)->mtu);
}

static struct value get_type(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, INTERFACE_HAS_LINK), get_interface(view, row)->type);
}

static struct value get_kind(const struct view *view, uint32_t row)
{
    return cell_string(view, get_interface(view, row)->kind);
}

static struct value get_qdisc(const struct view *view, uint32_t row)
{
    return cell_string(view, get_interface(view, row)->qdisc);
}

static struct value get_address(const struct view *view, uint32_t row)
{
    return cell_string(view, get_interface(view, row)->address);
}

static struct value name_of(const struct view *view, uint32_t row, uint32_t ifindex)
{
    const struct interface *other =
        snapshot_interface(view->snapshot, get_interface(view, row)->netns, ifindex);

    return ifindex && other ? cell_string(view, other->name) : value_none();
}

static struct value get_master(const struct view *view, uint32_t row)
{
    return name_of(view, row, get_interface(view, row)->master);
}

static struct value get_lower(const struct view *view, uint32_t row)
{
    return name_of(view, row, get_interface(view, row)->lower);
}

static struct value get_tx_queue_length(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, INTERFACE_HAS_LINK),
                       get_interface(view, row)->tx_queue_length);
}

static struct value get_promiscuity(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, INTERFACE_HAS_LINK), get_interface(view, row)->promiscuity);
}

static struct value get_carrier_changes(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, INTERFACE_HAS_CARRIER_CHANGES),
                       get_interface(view, row)->carrier_changes);
}

static struct value get_speed_bits(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, INTERFACE_HAS_SPEED),
                       get_interface(view, row)->speed_mbit * UINT64_C(1000000));
}

static struct value get_duplex(const struct view *view, uint32_t row)
{
    if (!has(view, row, INTERFACE_HAS_DUPLEX))
        return value_none();
    return value_name(get_interface(view, row)->full_duplex ? "full" : "half");
}

#define NEED_SHARES (NEED_FLOWS | NEED_FORWARDED | NEED_ADDRESSES)

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define MACHINE COLUMN_MACHINE
#define COUNTER (COLUMN_MACHINE | COLUMN_COUNTER)
#define SHOWN_COUNTER (SHOWN | COLUMN_COUNTER)
#define SHOWN_RATE (SHOWN | COLUMN_RATE)
#define MACHINE_RATE (COLUMN_MACHINE | COLUMN_RATE)
#define BESIDE (COLUMN_BESIDE | COLUMN_RATE)

#define PART(name, title, help, getter)                                                            \
    {                                                                                              \
        name, title, help, KIND_BYTES, BESIDE, NEED_SHARES, getter                                 \
    }
#define PARTS(rx, title, when, time)                                                               \
    PART(#rx "_named" when, title "NAMED", "Of " #rx when ": payload of processes, exact",         \
         interface_##rx##_named##time),                                                            \
        PART(#rx "_headers" when, title "HEAD",                                                    \
             "Of " #rx when ": headers and acknowledgements, from the number of packets",          \
             interface_##rx##_headers##time),                                                      \
        PART(#rx "_forwarded" when, title "FWD",                                                   \
             "Of " #rx when ": passed on for others, from the number of packets",                  \
             interface_##rx##_forwarded##time),                                                    \
        PART(#rx "_unowned" when, title "NONE",                                                    \
             "Of " #rx when ": of no socket: the kernel, packet sockets, thrown away; unknown "    \
             "where only TCP is counted",                                                          \
             interface_##rx##_unowned##time)

static const struct column columns[] = {
    {"time", "TIME", "When it was read", KIND_TEXT, 0, 0, cell_time},
    {"iface", "IFACE", "Name of the interface", KIND_TEXT, SHOWN | COLUMN_KEY | COLUMN_BESIDE, 0,
     get_iface},
    {"netns", "NETNS", "Network namespace", KIND_TEXT, MACHINE | COLUMN_BESIDE, 0, get_netns},
    {"ifindex", "INDEX", "Number of the interface in its namespace", KIND_ID,
     MACHINE | COLUMN_BESIDE, 0, get_ifindex},
    {"state", "STATE", "Whether it works: up, down, lower-layer-down, dormant", KIND_NAME, SHOWN, 0,
     get_state},
    {"kind", "KIND",
     "What software made it: veth, bridge, vlan, tun, ...; none for hardware and lo", KIND_NAME,
     MACHINE, 0, get_kind},
    {"mtu", "MTU", "Largest packet, in bytes", KIND_COUNT, MACHINE, 0, get_mtu},
    {"speed_bits", "SPEED", "Speed that the driver tells", KIND_BITS_PER_SECOND, SHOWN,
     NEED_LINK_DETAILS, get_speed_bits},
    {"duplex", "DUPLEX", "full: both directions have the speed for themselves; half: they share it",
     KIND_NAME, 0, NEED_LINK_DETAILS, get_duplex},
    {"rx_rate", "RX/S", "Bytes received, since the refresh before", KIND_BYTES_PER_SECOND,
     MACHINE_RATE, 0, interface_rx_rate},
    {"tx_rate", "TX/S", "Bytes sent, since the refresh before", KIND_BYTES_PER_SECOND, MACHINE_RATE,
     0, interface_tx_rate},
    {"rx_packet_rate", "RX-PPS", "Packets received a second, since the refresh before", KIND_COUNT,
     MACHINE_RATE, 0, interface_rx_packet_rate},
    {"tx_packet_rate", "TX-PPS", "Packets sent a second, since the refresh before", KIND_COUNT,
     MACHINE_RATE, 0, interface_tx_packet_rate},
    {"rx_rate_avg", "RX-AVG", "Bytes received a second, on average since the first reading",
     KIND_BYTES_PER_SECOND, MACHINE_RATE, 0, interface_rx_rate_avg},
    {"tx_rate_avg", "TX-AVG", "Bytes sent a second, on average since the first reading",
     KIND_BYTES_PER_SECOND, MACHINE_RATE, 0, interface_tx_rate_avg},
    {"rx_rate_min", "RX-MIN", "Least of rx_rate since the first reading", KIND_BYTES_PER_SECOND,
     MACHINE_RATE | COLUMN_MINOR, 0, interface_rx_rate_min},
    {"tx_rate_min", "TX-MIN", "Least of tx_rate since the first reading", KIND_BYTES_PER_SECOND,
     MACHINE_RATE | COLUMN_MINOR, 0, interface_tx_rate_min},
    {"rx_rate_max", "RX-MAX", "Most of rx_rate since the first reading", KIND_BYTES_PER_SECOND,
     MACHINE_RATE, 0, interface_rx_rate_max},
    {"tx_rate_max", "TX-MAX", "Most of tx_rate since the first reading", KIND_BYTES_PER_SECOND,
     MACHINE_RATE, 0, interface_tx_rate_max},
    {"stacked", "STACKED", "Its bytes are counted by the interfaces that it stands on as well",
     KIND_BOOL, COLUMN_BESIDE, 0, interface_stacked},
    {"rx_window", "RX-LAST", "Bytes received since the refresh before", KIND_BYTES, BESIDE, 0,
     interface_rx_window},
    PARTS(rx, "RX-LAST-", "_window", _window),
    {"tx_window", "TX-LAST", "Bytes sent since the refresh before", KIND_BYTES, BESIDE, 0,
     interface_tx_window},
    PARTS(tx, "TX-LAST-", "_window", _window),
    {"rx_since", "RX-SINCE", "Bytes received since the first reading", KIND_BYTES,
     MACHINE_RATE | COLUMN_BESIDE, 0, interface_rx_since},
    PARTS(rx, "RX-SINCE-", "_since", _since),
    {"tx_since", "TX-SINCE", "Bytes sent since the first reading", KIND_BYTES,
     MACHINE_RATE | COLUMN_BESIDE, 0, interface_tx_since},
    PARTS(tx, "TX-SINCE-", "_since", _since),
    {"util", "UTIL%", "Rate of the busier direction, in percent of the speed", KIND_COUNT,
     MACHINE_RATE, NEED_LINK_DETAILS, interface_util},
    {"rx_named_rate", "RX-NAMED", "Of the bytes received: payload of processes: exact",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, NEED_SHARES, interface_rx_named},
    {"tx_named_rate", "TX-NAMED", "Of the bytes sent: payload of processes: exact",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, NEED_SHARES, interface_tx_named},
    {"rx_headers_rate", "RX-HEAD",
     "Of the bytes received: headers of their packets, and acknowledgements: from the number of "
     "packets",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, NEED_SHARES, interface_rx_headers},
    {"tx_headers_rate", "TX-HEAD",
     "Of the bytes sent: headers of their packets, and acknowledgements: from the number of "
     "packets",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, NEED_SHARES, interface_tx_headers},
    {"rx_forwarded_rate", "RX-FWD",
     "Of the bytes received: passed on for others: from the number of packets",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, NEED_SHARES, interface_rx_forwarded},
    {"tx_forwarded_rate", "TX-FWD",
     "Of the bytes sent: passed on for others: from the number of packets", KIND_BYTES_PER_SECOND,
     COLUMN_RATE, NEED_SHARES, interface_tx_forwarded},
    {"rx_unowned_rate", "RX-NONE",
     "Of the bytes received: of no socket: the kernel, packet sockets, thrown away; unknown where "
     "only "
     "TCP is counted",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, NEED_SHARES, interface_rx_unowned},
    {"tx_unowned_rate", "TX-NONE",
     "Of the bytes sent: of no socket: the kernel, packet sockets, thrown away; unknown where only "
     "TCP is counted",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, NEED_SHARES, interface_tx_unowned},
    {"rx_bytes", "RX", "Bytes received", KIND_BYTES, SHOWN_COUNTER, 0, get_rx_bytes},
    {"tx_bytes", "TX", "Bytes sent", KIND_BYTES, SHOWN_COUNTER, 0, get_tx_bytes},
    {"rx_packets", "RX-PKTS", "Packets received", KIND_COUNT, SHOWN_COUNTER, 0, get_rx_packets},
    {"tx_packets", "TX-PKTS", "Packets sent", KIND_COUNT, SHOWN_COUNTER, 0, get_tx_packets},
    {"errors", "ERRORS", "Damaged packets: rx_errors and tx_errors", KIND_COUNT, SHOWN_COUNTER, 0,
     interface_errors},
    {"drops", "DROPS", "Good packets thrown away: rx_dropped, tx_dropped and qdisc_drops",
     KIND_COUNT, SHOWN_COUNTER, NEED_LINK_DETAILS, interface_drops},
    {"rx_errors", "RX-ERR", "Damaged packets received, of every kind", KIND_COUNT, COUNTER, 0,
     get_rx_errors},
    {"tx_errors", "TX-ERR", "Packets that could not be sent, for every reason", KIND_COUNT, COUNTER,
     0, get_tx_errors},
    {"rx_dropped", "RX-DROP",
     "Good packets received and thrown away: no room, or nobody wants them", KIND_COUNT, COUNTER, 0,
     get_rx_dropped},
    {"tx_dropped", "TX-DROP", "Packets thrown away on the way out", KIND_COUNT, COUNTER, 0,
     get_tx_dropped},
    {"rx_overruns", "RX-OVR", "Packets lost because the receive queue of the device ran over",
     KIND_COUNT, COUNTER, 0, get_rx_fifo_errors},
    {"tx_overruns", "TX-OVR", "Packets lost in the send queue of the device", KIND_COUNT, COUNTER,
     0, get_tx_fifo_errors},
    {"multicast", "MULTICAST", "Multicast packets received", KIND_COUNT, COUNTER, 0, get_multicast},
    {"qdisc", "QDISC", "Queueing discipline at the root", KIND_NAME, MACHINE, 0, get_qdisc},
    {"qdisc_drops", "Q-DROP", "Packets that the queueing discipline threw away", KIND_COUNT,
     COUNTER, NEED_LINK_DETAILS, get_qdisc_drops},
    {"qdisc_backlog_bytes", "BACKLOG", "Bytes that wait in the queueing discipline", KIND_BYTES,
     MACHINE, NEED_LINK_DETAILS, get_qdisc_backlog_bytes},
    {"qdisc_packets", "Q-PKTS", "Packets that wait in the queueing discipline", KIND_COUNT, MACHINE,
     NEED_LINK_DETAILS, get_qdisc_packets},
    {"qdisc_overlimits", "Q-OVER", "How often the queueing discipline held packets back",
     KIND_COUNT, COUNTER, NEED_LINK_DETAILS, get_qdisc_overlimits},
    {"qdisc_requeues", "Q-AGAIN", "Packets that the device did not take at the first try",
     KIND_COUNT, COUNTER, NEED_LINK_DETAILS, get_qdisc_requeues},
    {"collisions", "COLL", "Collisions (half duplex)", KIND_COUNT, COUNTER, 0, get_collisions},
    {"rx_missed", "RX-MISS", "Packets that the device had no buffer for", KIND_COUNT, COUNTER, 0,
     get_rx_missed_errors},
    {"rx_length_errors", "RX-LEN", "Received with a wrong length", KIND_COUNT, COUNTER, 0,
     get_rx_length_errors},
    {"rx_over_errors", "RX-OVER", "Larger than the buffer of the device", KIND_COUNT, COUNTER, 0,
     get_rx_over_errors},
    {"rx_crc_errors", "RX-CRC", "Received with a wrong checksum: mostly the cable", KIND_COUNT,
     COUNTER, 0, get_rx_crc_errors},
    {"rx_frame_errors", "RX-FRAME", "Received with a broken frame", KIND_COUNT, COUNTER, 0,
     get_rx_frame_errors},
    {"rx_nohandler", "RX-NOONE", "Received on an inactive part of a bond or team", KIND_COUNT,
     COUNTER, 0, get_rx_nohandler},
    {"rx_otherhost_dropped", "RX-OTHER", "For the hardware address of another host", KIND_COUNT,
     COUNTER, 0, get_rx_otherhost_dropped},
    {"rx_compressed", "RX-COMP", "Received compressed", KIND_COUNT, COUNTER, 0, get_rx_compressed},
    {"tx_aborted_errors", "TX-ABORT", "Sending was given up", KIND_COUNT, COUNTER, 0,
     get_tx_aborted_errors},
    {"tx_carrier_errors", "TX-CARR", "Not sent: no link", KIND_COUNT, COUNTER, 0,
     get_tx_carrier_errors},
    {"tx_heartbeat_errors", "TX-HEART", "Heartbeat errors (old Ethernet)", KIND_COUNT, COUNTER, 0,
     get_tx_heartbeat_errors},
    {"tx_window_errors", "TX-WIN", "Late collisions", KIND_COUNT, COUNTER, 0, get_tx_window_errors},
    {"tx_compressed", "TX-COMP", "Sent compressed", KIND_COUNT, COUNTER, 0, get_tx_compressed},
    {"carrier_changes", "CHANGES", "How often the link came or went", KIND_COUNT, COUNTER, 0,
     get_carrier_changes},
    {"promiscuity", "PROMISC", "How many want every packet (captures, bridges)", KIND_COUNT,
     MACHINE, 0, get_promiscuity},
    {"tx_queue_length", "TXQLEN", "Length of its send queue, in packets", KIND_COUNT, MACHINE, 0,
     get_tx_queue_length},
    {"flags", "FLAGS", "Flags, in lower case: up, broadcast, running", KIND_TEXT, MACHINE, 0,
     get_flags},
    {"flag_bits", "FLAGS", "The same as the kernel's IFF_ bits", KIND_HEX, 0, 0, get_flag_bits},
    {"operstate", "OPERSTATE", "What the driver says of its state", KIND_NAME, 0, 0, get_operstate},
    {"link_type", "TYPE", "Type of the hardware, the kernel's ARPHRD_ number", KIND_ID, 0, 0,
     get_type},
    {"address", "ADDRESS", "Hardware address", KIND_TEXT, MACHINE, 0, get_address},
    {"master", "MASTER", "Bridge, bond or VRF that it is a part of", KIND_TEXT, MACHINE, 0,
     get_master},
    {"lower", "LOWER", "Device below it, in the same namespace", KIND_TEXT, MACHINE, 0, get_lower},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->interfaces_count;
}

/* Namespace after namespace, each in the order in which they were made. */
static uint64_t row_order(const struct view *view, uint32_t row)
{
    const struct interface *interface = get_interface(view, row);

    return (uint64_t)interface->netns << 32 | interface->ifindex;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    return interface_identity(view->snapshot, get_interface(view, row));
}

static const char *const words[] = {"iface", NULL};

const struct table table_interfaces = {
    .name = "interfaces",
    .help = "Network interfaces: state, counters, rates",
    .needs = NEED_LINKS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "the name of an interface (nwho if lists them)",
    .row_count = row_count,
    .order = row_order,
    .identity = row_identity,
};
