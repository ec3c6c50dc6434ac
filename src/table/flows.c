/* SPDX-License-Identifier: MIT */
/* The table of flows: one row is the traffic of one thread through one socket. */
#include "table/cells.h"
#include "table/flow_cells.h"

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define MACHINE COLUMN_MACHINE
#define RATE (COLUMN_MACHINE | COLUMN_RATE)
#define COUNTER (COLUMN_MACHINE | COLUMN_COUNTER)
#define RATE_KIND KIND_BYTES_PER_SECOND

/* name, title, help, kind, flags, needs, getter */
static const struct column columns[] = {
    {"time", "TIME", "When it was read", KIND_TEXT, MACHINE, 0, cell_time},
    {"pid", "PID", "Process that sent and received", KIND_ID, SHOWN, 0, flow_pid},
    {"tid", "TID", "Its thread that did", KIND_ID, MACHINE, 0, flow_tid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, flow_process},
    {"thread", "THREAD", "Name of the thread", KIND_TEXT, MACHINE, 0, flow_thread},
    {"uid", "UID", "User id of the process", KIND_ID, MACHINE, 0, flow_uid},
    {"user", "USER", "User of the process", KIND_TEXT, SHOWN | COLUMN_MINOR, 0, flow_user},
    {"unit", "UNIT", "systemd unit", KIND_TEXT, MACHINE | COLUMN_MINOR, NEED_CGROUP, flow_unit},
    {"container", "CONTAINER", "Container", KIND_TEXT, MACHINE, NEED_CGROUP, flow_container},
    {"cgroup", "CGROUP", "Control group", KIND_TEXT, 0, NEED_CGROUP, flow_cgroup},
    {"exe", "EXE", "Program file", KIND_TEXT, 0, NEED_EXE, flow_exe},
    {"cmdline", "CMDLINE", "Command line", KIND_TEXT, 0, NEED_CMDLINE, flow_cmdline},
    {"proto", "PROTO", "Protocol", KIND_NAME, SHOWN, NEED_ENDS, flow_proto},
    {"family", "FAMILY", "Address family", KIND_NAME, MACHINE, NEED_ENDS, flow_family},
    {"local", "LOCAL", "Own address and port", KIND_ENDPOINT, COLUMN_TEXT | COLUMN_COMPOSED,
     NEED_ENDS, flow_local},
    {"peer", "PEER", "Address and port of the other end", KIND_ENDPOINT,
     COLUMN_TEXT | COLUMN_COMPOSED, NEED_PEERS | NEED_ENDS, flow_peer},
    {"local_addr", "LOCAL-ADDR", "Own address", KIND_ADDRESS, MACHINE, NEED_ENDS, flow_local_addr},
    {"local_port", "LPORT", "Own port", KIND_PORT, MACHINE, NEED_ENDS, flow_local_port},
    {"peer_addr", "PEER-ADDR", "Address of the other end", KIND_ADDRESS, MACHINE,
     NEED_PEERS | NEED_ENDS, flow_peer_addr},
    {"peer_port", "PPORT", "Port of the other end", KIND_PORT, MACHINE, NEED_PEERS | NEED_ENDS,
     flow_peer_port},
    {"service_port", "PORT",
     "Port of the side that listens; where that is not known, the lower of both", KIND_PORT, 0,
     NEED_SOCKETS | NEED_LISTENERS | NEED_PORT_RANGE | NEED_ENDS, flow_service_port_cell},
    {"iface", "IFACE", "Interface that the socket is bound to, or the traffic came by", KIND_TEXT,
     0, NEED_LINKS | NEED_PEERS | NEED_ENDS, flow_iface},
    {"netns", "NETNS", "Network namespace: its name, init, or its inode", KIND_TEXT, MACHINE, 0,
     flow_netns},
    {"cookie", "COOKIE", "Cookie of the socket (SO_COOKIE), unique while the machine is up",
     KIND_ID, MACHINE, 0, flow_cookie},
    {"flags", "FLAGS",
     "closed, exited; folded: all closed sockets that are not listed any more; other: what had no "
     "room; spliced: with bytes that no call was seen for",
     KIND_TEXT, SHOWN, 0, flow_flags},
    {"sick", "SICK",
     "What is wrong with its socket: close-wait; peer-full: data waits, the other side takes "
     "nothing; unread: the process does not read; sent-again: much is lost",
     KIND_TEXT, 0, NEED_SOCKETS | NEED_TCP_INFO | NEED_MEMORY, flow_sick},
    {"connections", "CONN", "Sockets with traffic that are open now", KIND_COUNT, 0, 0,
     flow_connections},
    {"sockets", "SOCKETS", "Sockets with traffic since it is counted, also closed ones", KIND_COUNT,
     MACHINE, 0, flow_sockets},
    {"rx_rate", "RX/S", "Payload received a second, since the reading before", RATE_KIND,
     RATE | COLUMN_TEXT, 0, flow_rx_rate},
    {"tx_rate", "TX/S", "Payload sent a second, since the reading before", RATE_KIND,
     RATE | COLUMN_TEXT, 0, flow_tx_rate},
    {"rate", "RATE", "Payload both ways a second, since the reading before", RATE_KIND, COLUMN_RATE,
     0, flow_rate},
    {"rx_rate_2s", "RX/S-2S", "Payload received a second, mean of the last 2 seconds", RATE_KIND,
     RATE, 0, flow_rx_rate_2s},
    {"tx_rate_2s", "TX/S-2S", "Payload sent a second, mean of the last 2 seconds", RATE_KIND, RATE,
     0, flow_tx_rate_2s},
    {"rx_rate_10s", "RX/S-10S", "Payload received a second, mean of the last 10 seconds", RATE_KIND,
     RATE, 0, flow_rx_rate_10s},
    {"tx_rate_10s", "TX/S-10S", "Payload sent a second, mean of the last 10 seconds", RATE_KIND,
     RATE, 0, flow_tx_rate_10s},
    {"rx_rate_40s", "RX/S-40S", "Payload received a second, mean of the last 40 seconds", RATE_KIND,
     RATE, 0, flow_rx_rate_40s},
    {"tx_rate_40s", "TX/S-40S", "Payload sent a second, mean of the last 40 seconds", RATE_KIND,
     RATE, 0, flow_tx_rate_40s},
    {"rx_rate_60s", "RX/S-60S", "Payload received a second, mean of the last minute", RATE_KIND,
     RATE, 0, flow_rx_rate_60s},
    {"tx_rate_60s", "TX/S-60S", "Payload sent a second, mean of the last minute", RATE_KIND, RATE,
     0, flow_tx_rate_60s},
    {"rx_bytes", "RX", "Payload received since it is counted", KIND_BYTES, COUNTER | COLUMN_TEXT, 0,
     flow_rx_bytes},
    {"tx_bytes", "TX", "Payload sent since it is counted", KIND_BYTES, COUNTER | COLUMN_TEXT, 0,
     flow_tx_bytes},
    {"bytes", "BYTES", "Payload both ways since it is counted", KIND_BYTES, COLUMN_COUNTER, 0,
     flow_bytes},
    {"rx_calls", "RX-CALLS", "System calls, or datagrams, that received it", KIND_COUNT, COUNTER, 0,
     flow_rx_calls},
    {"tx_calls", "TX-CALLS", "System calls, or datagrams, that sent it", KIND_COUNT, COUNTER, 0,
     flow_tx_calls},
    {"rx_wire_rate", "RX-WIRE/S", "Received a second with all headers, since the reading before",
     RATE_KIND, COLUMN_RATE, NEED_WIRE, flow_rx_wire_rate},
    {"tx_wire_rate", "TX-WIRE/S", "Sent a second with all headers, since the reading before",
     RATE_KIND, COLUMN_RATE, NEED_WIRE, flow_tx_wire_rate},
    {"rx_wire_bytes", "RX-WIRE", "Received with all headers since packets are counted", KIND_BYTES,
     COLUMN_COUNTER, NEED_WIRE, flow_rx_wire_bytes},
    {"tx_wire_bytes", "TX-WIRE",
     "Sent with all headers, also again and by the kernel, since packets are counted", KIND_BYTES,
     COLUMN_COUNTER, NEED_WIRE, flow_tx_wire_bytes},
    {"rx_packet_rate", "RX-PPS", "Packets received a second, since the reading before", KIND_COUNT,
     COLUMN_RATE, NEED_WIRE, flow_rx_packet_rate},
    {"tx_packet_rate", "TX-PPS", "Packets sent a second, since the reading before", KIND_COUNT,
     COLUMN_RATE, NEED_WIRE, flow_tx_packet_rate},
    {"rx_packets", "RX-PKTS", "Packets received since they are counted", KIND_COUNT, COLUMN_COUNTER,
     NEED_WIRE, flow_rx_packets},
    {"tx_packets", "TX-PKTS", "Packets sent since they are counted", KIND_COUNT, COLUMN_COUNTER,
     NEED_WIRE, flow_tx_packets},
    {"age_s", "AGE", "Time since the first traffic that was counted", KIND_SECONDS, MACHINE, 0,
     flow_age},
    {"last_s", "LAST", "Time since the last traffic", KIND_SECONDS, MACHINE, 0, flow_idle},
    {"holders", "HELD-BY", "All holders of the socket, where the process is not the only one",
     KIND_LIST, 0, NEED_SOCKETS | NEED_OWNERS, flow_holders},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->flows_count;
}

static uint32_t row_netns(const struct view *view, uint32_t row)
{
    return view->snapshot->flows[row].netns;
}

static uint64_t identity(const struct view *view, uint32_t row)
{
    return view->snapshot->flows[row].id;
}

const struct table table_flows = {
    .name = "flows",
    .help = "Traffic of each thread through each socket, counted while nwho runs (nwho top)",
    .needs = NEED_FLOWS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .hint = "only what sends or receives while it is counted has a row",
    .row_count = row_count,
    .netns = row_netns,
    .identity = identity,
};
