/* SPDX-License-Identifier: MIT */
/* The fields of a snapshot, each described once. */
/*
 * A field that is missing here is not recorded; the unit test counts them. The file is long because
 * it is one table: a struct of the model is found here by its name, with nothing to understand that
 * parts of it could hide from each other.
 */
#include "model/snapshot_fields.h"

#include "base/cleanup.h"
#include "model/snapshot.h"

#define FIELD(type, member, ...)                                                                   \
    {                                                                                              \
        .name = #member, .offset = offsetof(struct type, member),                                  \
        .width = sizeof(((struct type *)0)->member), __VA_ARGS__                                   \
    }
#define NUMBER(type, member) FIELD(type, member, .kind = FIELD_NUMBER)
#define BYTES(type, member) FIELD(type, member, .kind = FIELD_BYTES)
#define STRING(type, member) FIELD(type, member, .kind = FIELD_STRING)
#define ENUM(type, member, end) FIELD(type, member, .kind = FIELD_ENUM, .limit = (end))
#define INDEX(type, member, section) FIELD(type, member, .kind = FIELD_INDEX, .limit = (section))
#define NUMBER_OF(type, member, section)                                                           \
    FIELD(type, member, .kind = FIELD_NUMBER_OF, .limit = (section))

static const struct field snapshot_fields[] = {
    NUMBER(snapshot, time_ns),
    NUMBER(snapshot, boot_ns),
    STRING(snapshot, host),
    NUMBER(snapshot, clock_ticks),
    NUMBER(snapshot, owners_known),
    NUMBER(snapshot, pidns_is_init),
    NUMBER(snapshot, incomplete),
    NUMBER(snapshot, accounting),
    NUMBER(snapshot, cgroup_v1),
    NUMBER(snapshot, wire_ns),
    NUMBER(snapshot, window_ns[FLOW_LAST]),
    NUMBER(snapshot, window_ns[FLOW_2S]),
    NUMBER(snapshot, window_ns[FLOW_10S]),
    NUMBER(snapshot, window_ns[FLOW_40S]),
    NUMBER(snapshot, window_ns[FLOW_60S]),
};

static const struct field socket_fields[] = {
    NUMBER(socket, cookie),
    NUMBER(socket, cgroup_id),
    NUMBER(socket, has),
    NUMBER(socket, flags),
    NUMBER(socket, inode),
    INDEX(socket, netns, SECTION_NETNS),
    NUMBER(socket, uid),
    NUMBER(socket, mark),
    NUMBER(socket, ifindex),
    NUMBER(socket, recv_q),
    NUMBER(socket, send_q),
    NUMBER(socket, timer_ms),
    NUMBER(socket, peer_inode),
    STRING(socket, path),
    NUMBER(socket, protocol),
    NUMBER(socket, drops),
    NUMBER(socket, references),
    NUMBER_OF(socket, tcp, SECTION_TCP),
    NUMBER_OF(socket, memory, SECTION_MEMORY),
    NUMBER(socket, local_port),
    NUMBER(socket, peer_port),
    ENUM(socket, proto, PROTO_MAX),
    NUMBER(socket, family),
    NUMBER(socket, type),
    ENUM(socket, state, STATE_MAX),
    ENUM(socket, timer, TIMER_MAX),
    NUMBER(socket, retransmits),
    BYTES(socket, local),
    BYTES(socket, peer),
};

static const struct field tcp_fields[] = {
    NUMBER(tcp_details, known),
    NUMBER(tcp_details, rtt_us),
    NUMBER(tcp_details, rttvar_us),
    NUMBER(tcp_details, min_rtt_us),
    NUMBER(tcp_details, rto_us),
    NUMBER(tcp_details, ato_us),
    NUMBER(tcp_details, cwnd),
    NUMBER(tcp_details, ssthresh),
    NUMBER(tcp_details, mss),
    NUMBER(tcp_details, rcv_mss),
    NUMBER(tcp_details, advmss),
    NUMBER(tcp_details, pmtu),
    NUMBER(tcp_details, reordering),
    NUMBER(tcp_details, unacked),
    NUMBER(tcp_details, sacked),
    NUMBER(tcp_details, lost),
    NUMBER(tcp_details, retrans_out),
    NUMBER(tcp_details, total_retrans),
    NUMBER(tcp_details, last_data_sent_ms),
    NUMBER(tcp_details, last_data_recv_ms),
    NUMBER(tcp_details, last_ack_recv_ms),
    NUMBER(tcp_details, snd_wnd),
    NUMBER(tcp_details, rcv_wnd),
    NUMBER(tcp_details, notsent_bytes),
    NUMBER(tcp_details, rcv_space),
    NUMBER(tcp_details, rcv_ssthresh),
    NUMBER(tcp_details, rcv_rtt_us),
    NUMBER(tcp_details, fackets),
    NUMBER(tcp_details, delivered_ce),
    NUMBER(tcp_details, max_pacing_rate),
    NUMBER(tcp_details, of_listener),
    NUMBER(tcp_details, congestion_kind),
    NUMBER(tcp_details, congestion_info[0]),
    NUMBER(tcp_details, congestion_info[1]),
    NUMBER(tcp_details, congestion_info[2]),
    NUMBER(tcp_details, congestion_info[3]),
    NUMBER(tcp_details, congestion_info[4]),
    NUMBER_OF(tcp_details, upper, SECTION_UPPER_LAYERS),
    NUMBER(tcp_details, segs_out),
    NUMBER(tcp_details, segs_in),
    NUMBER(tcp_details, data_segs_out),
    NUMBER(tcp_details, data_segs_in),
    NUMBER(tcp_details, bytes_sent),
    NUMBER(tcp_details, bytes_acked),
    NUMBER(tcp_details, bytes_received),
    NUMBER(tcp_details, bytes_retrans),
    NUMBER(tcp_details, pacing_rate),
    NUMBER(tcp_details, delivery_rate),
    NUMBER(tcp_details, busy_us),
    NUMBER(tcp_details, rwnd_limited_us),
    NUMBER(tcp_details, sndbuf_limited_us),
    NUMBER(tcp_details, dsack_dups),
    NUMBER(tcp_details, delivered),
    NUMBER(tcp_details, reord_seen),
    NUMBER(tcp_details, rcv_ooopack),
    NUMBER(tcp_details, backoff),
    NUMBER(tcp_details, options),
    NUMBER(tcp_details, wscale_send),
    NUMBER(tcp_details, wscale_receive),
    NUMBER(tcp_details, app_limited),
    STRING(tcp_details, congestion),
    STRING(tcp_details, ulp),
};

static const struct field memory_fields[] = {
    NUMBER(socket_memory, receive), NUMBER(socket_memory, receive_limit),
    NUMBER(socket_memory, send),    NUMBER(socket_memory, send_limit),
    NUMBER(socket_memory, forward), NUMBER(socket_memory, write_queue),
    NUMBER(socket_memory, option),  NUMBER(socket_memory, backlog),
};

static const struct field upper_layer_fields[] = {
    NUMBER(upper_layer, map_sequence),
    NUMBER(upper_layer, write_sequence),
    NUMBER(upper_layer, unacknowledged),
    NUMBER(upper_layer, next_receive),
    NUMBER(upper_layer, kind),
    NUMBER(upper_layer, present),
    NUMBER(upper_layer, flags),
    NUMBER(upper_layer, token),
    NUMBER(upper_layer, token_local),
    NUMBER(upper_layer, map_subflow_sequence),
    NUMBER(upper_layer, map_offset),
    NUMBER(upper_layer, map_length),
    NUMBER(upper_layer, version),
    NUMBER(upper_layer, cipher),
    NUMBER(upper_layer, send_mode),
    NUMBER(upper_layer, receive_mode),
    NUMBER(upper_layer, id),
    NUMBER(upper_layer, id_local),
    NUMBER(upper_layer, subflows),
    NUMBER(upper_layer, addresses_sent),
    NUMBER(upper_layer, addresses_accepted),
    NUMBER(upper_layer, subflows_limit),
    NUMBER(upper_layer, addresses_sent_limit),
    NUMBER(upper_layer, addresses_accepted_limit),
};

static const struct field packet_fields[] = {
    INDEX(packet_details, socket, SECTION_SOCKETS),
    NUMBER(packet_details, version),
    NUMBER(packet_details, copy_threshold),
    NUMBER(packet_details, flags),
    NUMBER(packet_details, has),
    NUMBER(packet_details, fanout),
    STRING(packet_details, filter),
    NUMBER(packet_details, receive.block_size),
    NUMBER(packet_details, receive.blocks),
    NUMBER(packet_details, receive.frame_size),
    NUMBER(packet_details, receive.frames),
    NUMBER(packet_details, receive.timeout_ms),
    NUMBER(packet_details, receive.private_size),
    NUMBER(packet_details, receive.features),
    NUMBER(packet_details, send.block_size),
    NUMBER(packet_details, send.blocks),
    NUMBER(packet_details, send.frame_size),
    NUMBER(packet_details, send.frames),
    NUMBER(packet_details, send.timeout_ms),
    NUMBER(packet_details, send.private_size),
    NUMBER(packet_details, send.features),
};

static const struct field unix_waiting_fields[] = {
    INDEX(unix_waiting, socket, SECTION_SOCKETS),
    NUMBER(unix_waiting, inode),
};

static const struct field process_fields[] = {
    NUMBER(process, start_ticks),
    NUMBER(process, has),
    NUMBER(process, flags),
    NUMBER(process, pid),
    NUMBER(process, ppid),
    NUMBER(process, pgid),
    NUMBER(process, uid),
    STRING(process, comm),
    STRING(process, exe),
    STRING(process, cmdline),
    STRING(process, argv0),
    STRING(process, cgroup),
    FIELD(process, netns, .kind = FIELD_INDEX, .limit = SECTION_NETNS,
          .only_with = PROCESS_HAS_NETNS),
    NUMBER(process, fds),
    NUMBER(process, fd_limit),
    NUMBER(process, threads),
    NUMBER(process, tty),
};

static const struct field thread_fields[] = {
    INDEX(thread, process, SECTION_PROCESSES),
    NUMBER(thread, tid),
    STRING(thread, comm),
    NUMBER(thread, private_files),
};

static const struct field holder_fields[] = {
    NUMBER(holder, inode),
    INDEX(holder, process, SECTION_PROCESSES),
    NUMBER(holder, tid),
    NUMBER(holder, fd),
};

static const struct field fd_flags_fields[] = {
    INDEX(fd_flags, holder, SECTION_HOLDERS),
    NUMBER(fd_flags, flags),
};

static const struct field netns_fields[] = {
    NUMBER(netns, inode), STRING(netns, name),     NUMBER(netns, pid),       NUMBER(netns, flags),
    STRING(netns, path),  NUMBER(netns, port_low), NUMBER(netns, port_high),
};

static const struct field interface_fields[] = {
    NUMBER(interface, stats.rx_packets),
    NUMBER(interface, stats.tx_packets),
    NUMBER(interface, stats.rx_bytes),
    NUMBER(interface, stats.tx_bytes),
    NUMBER(interface, stats.rx_errors),
    NUMBER(interface, stats.tx_errors),
    NUMBER(interface, stats.rx_dropped),
    NUMBER(interface, stats.tx_dropped),
    NUMBER(interface, stats.multicast),
    NUMBER(interface, stats.collisions),
    NUMBER(interface, stats.rx_length_errors),
    NUMBER(interface, stats.rx_over_errors),
    NUMBER(interface, stats.rx_crc_errors),
    NUMBER(interface, stats.rx_frame_errors),
    NUMBER(interface, stats.rx_fifo_errors),
    NUMBER(interface, stats.rx_missed_errors),
    NUMBER(interface, stats.tx_aborted_errors),
    NUMBER(interface, stats.tx_carrier_errors),
    NUMBER(interface, stats.tx_fifo_errors),
    NUMBER(interface, stats.tx_heartbeat_errors),
    NUMBER(interface, stats.tx_window_errors),
    NUMBER(interface, stats.rx_compressed),
    NUMBER(interface, stats.tx_compressed),
    NUMBER(interface, stats.rx_nohandler),
    NUMBER(interface, stats.rx_otherhost_dropped),
    INDEX(interface, netns, SECTION_NETNS),
    NUMBER(interface, ifindex),
    STRING(interface, name),
    NUMBER(interface, has),
    NUMBER(interface, flags),
    NUMBER(interface, mtu),
    NUMBER(interface, master),
    NUMBER(interface, lower),
    STRING(interface, kind),
    STRING(interface, qdisc),
    STRING(interface, address),
    NUMBER(interface, tx_queue_length),
    NUMBER(interface, promiscuity),
    NUMBER(interface, carrier_changes),
    NUMBER(interface, speed_mbit),
    NUMBER(interface, operstate),
    NUMBER(interface, queue.packets),
    NUMBER(interface, queue.backlog_bytes),
    NUMBER(interface, queue.drops),
    NUMBER(interface, queue.requeues),
    NUMBER(interface, queue.overlimits),
    NUMBER(interface, type),
    NUMBER(interface, full_duplex),
};

static const struct field counter_fields[] = {
    NUMBER(counter, value),
    INDEX(counter, netns, SECTION_NETNS),
    STRING(counter, name),
    STRING(counter, group),
    STRING(counter, label),
    NUMBER(counter, cpu),
    ENUM(counter, source, COUNTER_SOURCE_MAX),
    NUMBER(counter, flags),
};

static const struct field setting_fields[] = {
    NUMBER(setting, numbers[0]),
    NUMBER(setting, numbers[1]),
    NUMBER(setting, numbers[2]),
    NUMBER(setting, count),
    INDEX(setting, netns, SECTION_NETNS),
    STRING(setting, name),
    STRING(setting, text),
    NUMBER(setting, flags),
};

static const struct field flow_fields[] = {
    NUMBER(flow, id),
    NUMBER(flow, cookie),
    NUMBER(flow, cgroup_id),
    NUMBER(flow, first_ns),
    NUMBER(flow, last_ns),
    NUMBER(flow, total.rx_bytes),
    NUMBER(flow, total.tx_bytes),
    NUMBER(flow, window[FLOW_LAST].rx_bytes),
    NUMBER(flow, window[FLOW_LAST].tx_bytes),
    NUMBER(flow, window[FLOW_2S].rx_bytes),
    NUMBER(flow, window[FLOW_2S].tx_bytes),
    NUMBER(flow, window[FLOW_10S].rx_bytes),
    NUMBER(flow, window[FLOW_10S].tx_bytes),
    NUMBER(flow, window[FLOW_40S].rx_bytes),
    NUMBER(flow, window[FLOW_40S].tx_bytes),
    NUMBER(flow, window[FLOW_60S].rx_bytes),
    NUMBER(flow, window[FLOW_60S].tx_bytes),
    NUMBER(flow, wire.rx_bytes),
    NUMBER(flow, wire.tx_bytes),
    NUMBER(flow, wire.rx_packets),
    NUMBER(flow, wire.tx_packets),
    NUMBER(flow, wire_last.rx_bytes),
    NUMBER(flow, wire_last.tx_bytes),
    NUMBER(flow, wire_last.rx_packets),
    NUMBER(flow, wire_last.tx_packets),
    NUMBER(flow, rx_calls),
    NUMBER(flow, tx_calls),
    NUMBER(flow, start_ticks),
    NUMBER_OF(flow, process, SECTION_PROCESSES),
    NUMBER(flow, pid),
    NUMBER(flow, tid),
    NUMBER(flow, ppid),
    NUMBER(flow, uid),
    STRING(flow, comm),
    INDEX(flow, netns, SECTION_NETNS),
    NUMBER(flow, ifindex),
    NUMBER(flow, flags),
    NUMBER(flow, sockets),
    NUMBER(flow, local_port),
    NUMBER(flow, peer_port),
    ENUM(flow, proto, PROTO_MAX),
    NUMBER(flow, family),
    BYTES(flow, local),
    BYTES(flow, peer),
};

static const struct field event_fields[] = {
    NUMBER(event, time_ns),
    NUMBER(event, start_ns),
    NUMBER(event, cookie),
    NUMBER(event, cgroup_id),
    NUMBER(event, rx_bytes),
    NUMBER(event, tx_bytes),
    NUMBER(event, has),
    NUMBER(event, pid),
    NUMBER(event, ppid),
    NUMBER(event, uid),
    STRING(event, comm),
    STRING(event, parent),
    INDEX(event, netns, SECTION_NETNS),
    NUMBER(event, handshake_us),
    NUMBER(event, rtt_us),
    NUMBER(event, retransmits),
    NUMBER(event, error),
    NUMBER(event, local_port),
    NUMBER(event, peer_port),
    ENUM(event, kind, EVENT_KIND_MAX),
    ENUM(event, verdict, EVENT_VERDICT_MAX),
    ENUM(event, ended_by, EVENT_SIDE_MAX),
    ENUM(event, direction, EVENT_DIRECTION_MAX),
    ENUM(event, owned_by, EVENT_OWNER_KIND_MAX),
    ENUM(event, proto, PROTO_MAX),
    NUMBER(event, family),
    BYTES(event, local),
    BYTES(event, peer),
};

static const struct field route_fields[] = {
    BYTES(route, dst),
    BYTES(route, src),
    BYTES(route, gateway),
    BYTES(route, source),
    NUMBER(route, metric[0]),
    NUMBER(route, metric[1]),
    NUMBER(route, metric[2]),
    NUMBER(route, metric[3]),
    NUMBER(route, metric[4]),
    NUMBER(route, metric[5]),
    NUMBER(route, metric[6]),
    NUMBER(route, metric[7]),
    NUMBER(route, metric[8]),
    NUMBER(route, metric[9]),
    NUMBER(route, metric[10]),
    NUMBER(route, metric[11]),
    NUMBER(route, metric[12]),
    NUMBER(route, metric[13]),
    NUMBER(route, metric[14]),
    NUMBER(route, metric[15]),
    NUMBER(route, metric[16]),
    NUMBER(route, metric[17]),
    INDEX(route, netns, SECTION_NETNS),
    NUMBER(route, has),
    NUMBER(route, flags),
    NUMBER(route, metrics),
    NUMBER(route, locked),
    NUMBER(route, table),
    NUMBER(route, priority),
    NUMBER(route, ifindex),
    NUMBER(route, rtm_flags),
    NUMBER(route, hop_flags),
    NUMBER(route, hop),
    NUMBER(route, hops),
    NUMBER(route, weight),
    NUMBER(route, nexthop_id),
    STRING(route, congestion),
    NUMBER(route, expires_s),
    NUMBER(route, refs),
    NUMBER(route, use),
    NUMBER(route, proc_flags),
    NUMBER(route, proc_line),
    NUMBER(route, uid),
    NUMBER(route, error),
    NUMBER(route, family),
    NUMBER(route, gateway_family),
    NUMBER(route, dst_bits),
    NUMBER(route, src_bits),
    NUMBER(route, tos),
    NUMBER(route, type),
    NUMBER(route, scope),
    NUMBER(route, protocol),
};

static const struct field link_address_fields[] = {
    BYTES(link_address, address),  BYTES(link_address, broadcast),
    BYTES(link_address, peer),     INDEX(link_address, netns, SECTION_NETNS),
    NUMBER(link_address, ifindex), STRING(link_address, label),
    NUMBER(link_address, prefix),  NUMBER(link_address, scope),
    NUMBER(link_address, family),
};

static const struct field next_hop_fields[] = {
    BYTES(next_hop, destination),
    BYTES(next_hop, address),
    INDEX(next_hop, netns, SECTION_NETNS),
    NUMBER(next_hop, ifindex),
    NUMBER(next_hop, state),
    NUMBER(next_hop, family),
    NUMBER(next_hop, address_family),
};

static const struct field membership_fields[] = {
    BYTES(membership, group),    INDEX(membership, netns, SECTION_NETNS),
    NUMBER(membership, ifindex), STRING(membership, iface),
    NUMBER(membership, has),     NUMBER(membership, users),
    NUMBER(membership, global),  NUMBER(membership, timer_ms),
    STRING(membership, querier), NUMBER(membership, flags),
    NUMBER(membership, family),  NUMBER(membership, length),
};

static const struct field group_member_fields[] = {
    INDEX(group_member, membership, SECTION_MEMBERSHIPS),
    INDEX(group_member, process, SECTION_PROCESSES),
    NUMBER(group_member, inode),
    NUMBER(group_member, fd),
};

static const struct field packet_count_fields[] = {
    NUMBER(packet_count, rx_packets),
    NUMBER(packet_count, rx_bytes),
    NUMBER(packet_count, tx_packets),
    NUMBER(packet_count, tx_bytes),
    NUMBER(packet_count, all_packets),
    NUMBER(packet_count, lost),
    INDEX(packet_count, netns, SECTION_NETNS),
    NUMBER(packet_count, ifindex),
    STRING(packet_count, iface),
    STRING(packet_count, source),
    ENUM(packet_count, protocol, PACKET_PROTOCOL_MAX),
    NUMBER(packet_count, bracket),
    NUMBER(packet_count, least),
    NUMBER(packet_count, most),
};

static const struct field cgroup_fields[] = {
    NUMBER(cgroup, id),
    STRING(cgroup, path),
};

static const struct field user_fields[] = {
    NUMBER(user, uid),
    STRING(user, name),
};

static const struct field note_fields[] = {
    STRING(note, source),
    STRING(note, text),
    NUMBER(note, error),
    ENUM(note, effect, NOTE_INCOMPLETE + 1),
};

static const struct field source_fields[] = {
    STRING(source_used, fact),
    STRING(source_used, source),
};

#define ARRAY_OF(type, member, table, ...)                                                         \
    {                                                                                              \
        .name = #member, .fields = (table), .field_count = ARRAY_SIZE(table),                      \
        .size = sizeof(struct type), .array = offsetof(struct snapshot, member),                   \
        .count = offsetof(struct snapshot, member##_count), __VA_ARGS__                            \
    }

const struct section snapshot_sections[SECTION_MAX] = {
    [SECTION_SNAPSHOT] = {.name = "snapshot",
                          .fields = snapshot_fields,
                          .field_count = ARRAY_SIZE(snapshot_fields),
                          .size = sizeof(struct snapshot)},
    [SECTION_SOCKETS] = ARRAY_OF(socket, sockets, socket_fields),
    [SECTION_TCP] = ARRAY_OF(tcp_details, tcp_infos, tcp_fields),
    [SECTION_MEMORY] = ARRAY_OF(socket_memory, memories, memory_fields),
    [SECTION_UPPER_LAYERS] = ARRAY_OF(upper_layer, upper_layers, upper_layer_fields),
    [SECTION_PACKETS] = ARRAY_OF(packet_details, packets, packet_fields),
    [SECTION_UNIX_WAITING] = ARRAY_OF(unix_waiting, unix_waiting, unix_waiting_fields),
    [SECTION_PROCESSES] =
        ARRAY_OF(process, processes, process_fields, .has_offset = offsetof(struct process, has)),
    [SECTION_THREADS] = ARRAY_OF(thread, threads, thread_fields),
    [SECTION_HOLDERS] = ARRAY_OF(holder, holders, holder_fields),
    [SECTION_FD_FLAGS] = ARRAY_OF(fd_flags, fd_flags, fd_flags_fields),
    [SECTION_NETNS] = ARRAY_OF(netns, netns, netns_fields),
    [SECTION_INTERFACES] = ARRAY_OF(interface, interfaces, interface_fields),
    [SECTION_COUNTERS] = ARRAY_OF(counter, counters, counter_fields),
    [SECTION_SETTINGS] = ARRAY_OF(setting, settings, setting_fields),
    [SECTION_FLOWS] = ARRAY_OF(flow, flows, flow_fields),
    [SECTION_EVENTS] = ARRAY_OF(event, events, event_fields),
    [SECTION_ROUTES] = ARRAY_OF(route, routes, route_fields),
    [SECTION_LINK_ADDRESSES] = ARRAY_OF(link_address, link_addresses, link_address_fields),
    [SECTION_NEXT_HOPS] = ARRAY_OF(next_hop, next_hops, next_hop_fields),
    [SECTION_MEMBERSHIPS] = ARRAY_OF(membership, memberships, membership_fields),
    [SECTION_GROUP_MEMBERS] = ARRAY_OF(group_member, group_members, group_member_fields),
    [SECTION_PACKET_SIZES] = ARRAY_OF(packet_count, packet_sizes, packet_count_fields),
    [SECTION_PACKET_PROTOCOLS] = ARRAY_OF(packet_count, packet_protocols, packet_count_fields),
    [SECTION_CGROUPS] = ARRAY_OF(cgroup, cgroups, cgroup_fields),
    [SECTION_USERS] = ARRAY_OF(user, users, user_fields),
    [SECTION_NOTES] = ARRAY_OF(note, notes, note_fields),
    [SECTION_SOURCES] = ARRAY_OF(source_used, sources, source_fields),
};
