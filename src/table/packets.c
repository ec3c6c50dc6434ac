/* SPDX-License-Identifier: MIT */
/* The tables of packets that were counted: by size, and by protocol. */
#include "derive/rates.h"
#include "table/cells.h"

static const struct packet_count *get_size(const struct view *view, uint32_t row)
{
    return &view->snapshot->packet_sizes[row];
}

static const struct packet_count *get_protocol(const struct view *view, uint32_t row)
{
    return &view->snapshot->packet_protocols[row];
}

/* The same cells of both tables. */
#define BOTH(name, expression)                                                                     \
    static struct value size_##name(const struct view *view, uint32_t row)                         \
    {                                                                                              \
        const struct packet_count *count = get_size(view, row);                                    \
        return expression;                                                                         \
    }                                                                                              \
    static struct value protocol_##name(const struct view *view, uint32_t row)                     \
    {                                                                                              \
        const struct packet_count *count = get_protocol(view, row);                                \
        return expression;                                                                         \
    }

static struct value share_of(const struct packet_count *count)
{
    uint64_t packets = count->rx_packets + count->tx_packets;

    if (count->all_packets == 0)
        return value_none();
    return value_uint((packets * 100 + count->all_packets / 2) / count->all_packets);
}

static struct value bracket_text(const struct view *view, uint32_t row)
{
    const struct packet_count *count = get_size(view, row);

    buf_reset(view->scratch);
    buf_uint(view->scratch, count->least);
    if (count->most) {
        buf_byte(view->scratch, '-');
        buf_uint(view->scratch, count->most);
    } else {
        buf_byte(view->scratch, '+');
    }
    return cell_scratch(view, 0);
}

static struct value protocol_name(const struct view *view, uint32_t row)
{
    static const char *const names[PACKET_PROTOCOL_MAX] = {
        "total", "ipv4", "ipv6", "tcp", "udp", "icmp", "other-ip", "non-ip", "broadcast"};

    return value_name(names[get_protocol(view, row)->protocol]);
}

static struct value size_least(const struct view *view, uint32_t row)
{
    return value_uint(get_size(view, row)->least);
}

static struct value size_most(const struct view *view, uint32_t row)
{
    const struct packet_count *count = get_size(view, row);

    return cell_number(count->most, count->most);
}

BOTH(iface, cell_string(view, count->iface))
BOTH(netns, netns_label(view, count->netns))
BOTH(packets, value_uint(count->rx_packets + count->tx_packets))
BOTH(bytes, value_uint(count->rx_bytes + count->tx_bytes))
BOTH(share, share_of(count))
BOTH(rx_packets, value_uint(count->rx_packets))
BOTH(rx_bytes, value_uint(count->rx_bytes))
BOTH(tx_packets, value_uint(count->tx_packets))
BOTH(tx_bytes, value_uint(count->tx_bytes))
BOTH(lost, value_uint(count->lost))
BOTH(source, cell_string(view, count->source))

static struct value rate_of(const struct packet_rate *rates, uint32_t row, bool tx)
{
    return cell_number(rates && rates[row].known, !rates ? 0 : tx ? rates[row].tx : rates[row].rx);
}

#define RATE_COLUMN(kind, rates_of_kind, way)                                                      \
    static struct value kind##_##way##_packet_rate(const struct view *view, uint32_t row)          \
    {                                                                                              \
        return rate_of(view->rates ? view->rates->rates_of_kind : NULL, row, #way[0] == 't');      \
    }

RATE_COLUMN(size, packet_sizes, rx)
RATE_COLUMN(size, packet_sizes, tx)
RATE_COLUMN(protocol, packet_protocols, rx)
RATE_COLUMN(protocol, packet_protocols, tx)

static uint32_t size_rows(const struct view *view)
{
    return view->snapshot->packet_sizes_count;
}

static uint32_t protocol_rows(const struct view *view)
{
    return view->snapshot->packet_protocols_count;
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define MACHINE COLUMN_MACHINE
#define COUNTER (SHOWN | COLUMN_COUNTER)

#define OF_IFACE(kind)                                                                             \
    {"iface",                                                                                      \
     "IFACE",                                                                                      \
     "Name of the interface when counting began",                                                  \
     KIND_TEXT,                                                                                    \
     MACHINE | COLUMN_KEY,                                                                         \
     0,                                                                                            \
     kind##_iface},                                                                                \
    {                                                                                              \
        "netns", "NETNS", "Network namespace", KIND_TEXT, MACHINE, 0, kind##_netns                 \
    }

#define COUNTED(kind)                                                                              \
    {"packets", "PACKETS", "Packets both ways", KIND_COUNT, COUNTER, 0, kind##_packets},           \
        {"bytes",                                                                                  \
         "BYTES",                                                                                  \
         "Bytes both ways, with the header of the link, as interfaces count them",                 \
         KIND_BYTES,                                                                               \
         COUNTER,                                                                                  \
         0,                                                                                        \
         kind##_bytes},                                                                            \
        {"share", "SHARE%",    "Percent of all packets of the interface", KIND_COUNT, SHOWN,       \
         0,       kind##_share},                                                                   \
        {"rx_packets", "RX-PKTS", "Packets received", KIND_COUNT, COUNTER, 0, kind##_rx_packets},  \
        {"rx_bytes", "RX", "Bytes received", KIND_BYTES, COUNTER, 0, kind##_rx_bytes},             \
        {"tx_packets", "TX-PKTS", "Packets sent", KIND_COUNT, COUNTER, 0, kind##_tx_packets},      \
        {"tx_bytes", "TX", "Bytes sent", KIND_BYTES, COUNTER, 0, kind##_tx_bytes},                 \
        {"rx_packet_rate",                                                                         \
         "RX-PPS",                                                                                 \
         "Packets received a second, since the reading before (--watch)",                          \
         KIND_COUNT,                                                                               \
         COLUMN_RATE,                                                                              \
         0,                                                                                        \
         kind##_rx_packet_rate},                                                                   \
        {"tx_packet_rate",                                                                         \
         "TX-PPS",                                                                                 \
         "Packets sent a second, since the reading before (--watch)",                              \
         KIND_COUNT,                                                                               \
         COLUMN_RATE,                                                                              \
         0,                                                                                        \
         kind##_tx_packet_rate},                                                                   \
        {"lost",                                                                                   \
         "LOST",                                                                                   \
         "Packets of the interface that could not be counted: always 0 with bpf",                  \
         KIND_COUNT,                                                                               \
         MACHINE | COLUMN_COUNTER,                                                                 \
         0,                                                                                        \
         kind##_lost},                                                                             \
    {                                                                                              \
        "source", "SOURCE", "What counted: bpf, packet socket", KIND_NAME, MACHINE, 0,             \
            kind##_source                                                                          \
    }

static const struct column size_columns[] = {
    OF_IFACE(size),
    {"size", "SIZE", "Bytes of a packet without the header of the link, as the MTU limits them",
     KIND_TEXT, COLUMN_TEXT | COLUMN_COMPOSED | COLUMN_KEY, 0, bracket_text},
    {"size_min", "FROM", "The smallest size in this row", KIND_BYTES, MACHINE, 0, size_least},
    {"size_max", "TO",
     "The largest; none: everything above the MTU (parts are joined or not yet "
     "cut up)",
     KIND_BYTES, MACHINE, 0, size_most},
    COUNTED(size),
};

static const struct column protocol_columns[] = {
    OF_IFACE(protocol),
    {"protocol", "PROTOCOL",
     "total; ipv4 and ipv6; tcp, udp, icmp (and ICMPv6), other-ip; non-ip; broadcast (of the link)",
     KIND_NAME, SHOWN | COLUMN_KEY, 0, protocol_name},
    COUNTED(protocol),
};

static uint64_t identity(const struct view *view, const struct packet_count *count)
{
    uint64_t interface = (uint64_t)view->snapshot->netns[count->netns].inode << 32 | count->ifindex;

    return (interface ^ interface >> 29) * PACKET_PROTOCOL_MAX * PACKET_BRACKETS + count->protocol +
           count->bracket + 1;
}

static uint64_t size_identity(const struct view *view, uint32_t row)
{
    return identity(view, get_size(view, row));
}

static uint64_t protocol_identity(const struct view *view, uint32_t row)
{
    return identity(view, get_protocol(view, row));
}

static const char *const size_words[] = {"iface", NULL};
static const char *const protocol_words[] = {"protocol", NULL};

const struct table table_packet_sizes = {
    .name = "packet_sizes",
    .help = "Packets of an interface by their size (nwho if DEV --by size)",
    .needs = NEED_PACKET_COUNTS,
    .columns = size_columns,
    .column_count = ARRAY_SIZE(size_columns),
    .words = size_words,
    .words_are = "the name of an interface",
    .row_count = size_rows,
    .identity = size_identity,
};

const struct table table_packet_protocols = {
    .name = "packet_protocols",
    .help = "Packets of an interface by protocol (nwho if DEV --by proto)",
    .needs = NEED_PACKET_COUNTS,
    .columns = protocol_columns,
    .column_count = ARRAY_SIZE(protocol_columns),
    .words = protocol_words,
    .words_are = "the name of a protocol",
    .row_count = protocol_rows,
    .identity = protocol_identity,
};
