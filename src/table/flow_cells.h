/* SPDX-License-Identifier: MIT */
/* Getters of the columns of flows, and the numbers that groups of flows add up. */
#pragma once

#include "table/table.h"

column_get_fn flow_pid, flow_tid, flow_process, flow_thread, flow_user, flow_uid, flow_unit,
    flow_container, flow_cgroup, flow_exe, flow_cmdline, flow_proto, flow_family, flow_local,
    flow_peer, flow_local_addr, flow_local_port, flow_peer_addr, flow_peer_port,
    flow_service_port_cell, flow_iface, flow_netns, flow_netns_inode, flow_cookie, flow_flags,
    flow_holders, flow_sockets, flow_connections, flow_rx_bytes, flow_tx_bytes, flow_bytes,
    flow_rx_calls, flow_tx_calls, flow_age, flow_idle;

/* Packets with their headers. */
column_get_fn flow_rx_wire_bytes, flow_tx_wire_bytes, flow_rx_packets, flow_tx_packets,
    flow_rx_wire_rate, flow_tx_wire_rate, flow_rx_packet_rate, flow_tx_packet_rate,
    flow_rx_wire_bytes_last, flow_tx_wire_bytes_last, flow_rx_packets_last, flow_tx_packets_last;

/* Rates: of each window both ways, and together. */
column_get_fn flow_rx_rate, flow_tx_rate, flow_rate, flow_rx_rate_2s, flow_tx_rate_2s,
    flow_rx_rate_10s, flow_tx_rate_10s, flow_rx_rate_40s, flow_tx_rate_40s, flow_rx_rate_60s,
    flow_tx_rate_60s;

/* The bytes of these windows, of which the rates of groups are made. */
column_get_fn flow_rx_last, flow_tx_last, flow_last, flow_rx_2s, flow_tx_2s, flow_rx_10s,
    flow_tx_10s, flow_rx_40s, flow_tx_40s, flow_rx_60s, flow_tx_60s;
struct value flow_rate_last(const struct view *view, uint64_t bytes);
struct value flow_rate_2s(const struct view *view, uint64_t bytes);
struct value flow_rate_10s(const struct view *view, uint64_t bytes);
struct value flow_rate_40s(const struct view *view, uint64_t bytes);
struct value flow_rate_60s(const struct view *view, uint64_t bytes);

/* The flags as bits of which those of a group are the AND: "closed" only where all are, "spliced"
 * where any is. */
column_get_fn flow_flag_bits;
struct value flow_flag_words(const struct view *view, uint64_t bits);

/* What is wrong with its socket: bits of enum ill, and their words. */
column_get_fn flow_ill_bits, flow_sick;
