/* SPDX-License-Identifier: MIT */
/* Getters of the columns of sockets that say which socket it is: kind, both ends, identity. */
#pragma once

#include "table/table.h"

column_get_fn socket_proto, socket_family, socket_type, socket_state, socket_local_addr,
    socket_peer_addr, socket_local_port, socket_peer_port, socket_path, socket_peer_path,
    socket_peer_inode, socket_references, socket_waiting_inode, socket_kernel_address,
    socket_protocol, socket_netns, socket_netns_inode, socket_direction, socket_scope, socket_inode,
    socket_cookie, socket_uid, socket_user, socket_mark, socket_v6only, socket_shutdown;
