/* SPDX-License-Identifier: MIT */
/* Composed texts about a socket, for people: both ends, and its owners. */
#pragma once

#include "table/table.h"

/* "10.0.0.1:443%eth0", "[::1]:22", "/run/x.sock", "@abstract", "#12345" (unnamed unix socket),
 * "all:eth0", "route:1234". */
struct value socket_local_text(const struct view *view, uint32_t row);
struct value socket_peer_text(const struct view *view, uint32_t row);

/* "nginx(1187,1190) fd 6"; without an owner the reason in parentheses. */
struct value socket_owner_text(const struct view *view, uint32_t row);
struct value socket_owner_note(const struct view *view, uint32_t row);

/* Appends the same to a text. False: nothing is known. */
bool socket_put_owner(const struct view *view, struct buf *text, uint32_t row);

/* Owner of the unix socket at the other end. */
struct value socket_peer_owner_text(const struct view *view, uint32_t row);

/* Which address families a bound socket serves: "v4", "v6", "v4+v6". */
struct value socket_serves(const struct view *view, uint32_t row);

/* "rwnd 98%", "sndbuf 12%": what kept the sender waiting most, as a share of its busy time. */
struct value socket_limited(const struct view *view, uint32_t row);

/* Name of the interface with this index in the socket's namespace. */
struct value socket_iface(const struct view *view, uint32_t row);
