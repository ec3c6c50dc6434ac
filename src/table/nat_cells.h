/* SPDX-License-Identifier: MIT */
/* Getters of the columns of tracked connections, and what those tell of sockets. */
#pragma once

#include "derive/nat.h"
#include "table/table.h"

/* The entry itself. */
column_get_fn nat_proto, nat_family, nat_state, nat_flags, nat_timeout, nat_age, nat_orig_packets,
    nat_orig_bytes, nat_reply_packets, nat_reply_bytes, nat_mark, nat_zone, nat_id, nat_use,
    nat_helper, nat_labels, nat_security, nat_netns;

/* Its ends, as the one of this machine sees them; where both or none are, as the client. */
column_get_fn nat_local, nat_local_addr, nat_local_port, nat_peer, nat_peer_addr, nat_peer_port,
    nat_seen_local, nat_seen_local_addr, nat_seen_local_port, nat_true_peer, nat_true_peer_addr,
    nat_true_peer_port;

/* Whether an end of it is a socket of this machine, by the join, or as an event has it. */
bool nat_is_found(const struct view *view, uint32_t row, enum nat_role role);

/* An event of it: what has words. */
column_get_fn nat_event_kind, nat_event_verdict;

/* Its sockets. */
column_get_fn nat_role, nat_owner, nat_owner_note, nat_owners, nat_pid, nat_process, nat_unit,
    nat_container, nat_socket_netns, nat_cookie, nat_idle, nat_forgets, nat_note;

/* Of a socket: whom it really talks to, whether it is tracked, and for how long yet. */
column_get_fn socket_nat_peer_addr, socket_nat_peer_port, socket_tracked, socket_tracked_left;
