/* SPDX-License-Identifier: MIT */
/* What flows are put together by, beside columns: never shown themselves. */
#pragma once

#include "table/table.h"

/* Which process, and which socket, a flow is of: the same number in every snapshot. */
column_get_fn flow_process_key, flow_past_process_key, flow_socket_key;

/* The socket, or where it is not connected the socket and the peer. */
column_get_fn flow_conn_key;
