/* SPDX-License-Identifier: MIT */
/* Getters of the columns of sockets that say which socket it is: kind, both ends, identity. */
#include "table/socket_facts.h"

#include "derive/address.h"
#include "derive/join.h"
#include "table/cells.h"
#include "table/socket_text.h"

#include <sys/socket.h>

/* --- what it is --- */

struct value socket_proto(const struct view *view, uint32_t row)
{
    return value_name(socket_proto_name(view_socket(view, row)->proto));
}

struct value socket_family(const struct view *view, uint32_t row)
{
    return value_name(socket_family_name(view_socket(view, row)->family));
}

struct value socket_type(const struct view *view, uint32_t row)
{
    uint8_t type = view_socket(view, row)->type;

    return type ? value_name(socket_type_name(type)) : value_none();
}

struct value socket_state(const struct view *view, uint32_t row)
{
    uint8_t state = view_socket(view, row)->state;

    return state ? value_name(socket_state_name(state)) : value_none();
}

/* --- both ends --- */

static struct value get_address(const struct socket *socket, const union address *address)
{
    if (!address_is_inet(socket->family))
        return value_none();
    return (struct value){.type = VALUE_ADDRESS, .address = {address->bytes, socket->family}};
}

struct value socket_local_addr(const struct view *view, uint32_t row)
{
    return get_address(view_socket(view, row), &view_socket(view, row)->local);
}

/* An unconnected socket has no peer; the wildcard in its place is no address. */
struct value socket_peer_addr(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    if (!socket->peer_port && address_is_any(socket->family, &socket->peer))
        return value_none();
    return get_address(socket, &socket->peer);
}

struct value socket_local_port(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(address_is_inet(socket->family) && socket->local_port, socket->local_port);
}

struct value socket_peer_port(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(address_is_inet(socket->family) && socket->peer_port, socket->peer_port);
}

struct value socket_path(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    bool named = socket->path || socket->flags & SOCKET_ABSTRACT; /* which may be empty */

    return socket->family == AF_UNIX && named ? socket_local_text(view, row) : value_none();
}

struct value socket_peer_path(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    bool known = socket->family == AF_UNIX && socket->peer_inode && view->join;
    uint32_t peer = known ? map_get(&view->join->by_inode, socket->peer_inode) : MAP_NONE;

    return peer != MAP_NONE ? socket_path(view, peer) : value_none();
}

struct value socket_peer_inode(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->family == AF_UNIX && socket->peer_inode != 0, socket->peer_inode);
}

struct value socket_waiting_inode(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->family == AF_UNIX && socket->local.words[2], socket->local.words[2]);
}

struct value socket_references(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->family == AF_UNIX && socket->references != 0, socket->references);
}

struct value socket_kernel_address(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    uint64_t address = (uint64_t)socket->local.words[1] << 32 | socket->local.words[0];

    return cell_number(socket->family == AF_UNIX && address != 0, address);
}

struct value socket_protocol(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    bool known = socket->proto == PROTO_RAW || socket->proto == PROTO_ICMP ||
                 socket->proto == PROTO_PACKET || socket->proto == PROTO_NETLINK;

    return cell_number(known, socket->protocol);
}

struct value socket_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, view_socket(view, row)->netns);
}

struct value socket_netns_inode(const struct view *view, uint32_t row)
{
    uint32_t netns = view_socket(view, row)->netns;

    return netns < view->snapshot->netns_count ? value_uint(view->snapshot->netns[netns].inode)
                                               : value_none();
}

struct value socket_direction(const struct view *view, uint32_t row)
{
    uint8_t direction = view->join->sockets[row].direction;

    return direction ? value_name(socket_direction_name(direction)) : value_none();
}

/* Of the peer; of the own address where there is no peer: then it tells who can reach the socket.
 */
struct value socket_scope(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    enum address_scope scope = address_scope(socket->family, &socket->peer);

    if (scope == SCOPE_ANY)
        scope = address_scope(socket->family, &socket->local);
    return scope ? value_name(scope == SCOPE_ANY ? "public" : address_scope_name(scope))
                 : value_none();
}

/* --- identity --- */

struct value socket_inode(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->inode != 0, socket->inode);
}

struct value socket_cookie(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_COOKIE, socket->cookie);
}

struct value socket_uid(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_UID, socket->uid);
}

struct value socket_user(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_user(view, socket->has & SOCKET_HAS_UID, socket->uid);
}

struct value socket_mark(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_MARK, socket->mark);
}

struct value socket_v6only(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return socket->has & SOCKET_HAS_V6ONLY && socket->family == AF_INET6
               ? value_bool(socket->flags & SOCKET_V6ONLY)
               : value_none();
}

struct value socket_shutdown(const struct view *view, uint32_t row)
{
    static const char *const words[] = {"none", "receive", "send", "both"};
    const struct socket *socket = view_socket(view, row);
    unsigned int which = (socket->flags & SOCKET_SHUT_RECEIVE ? 1u : 0) |
                         (socket->flags & SOCKET_SHUT_SEND ? 2u : 0);

    return socket->has & SOCKET_HAS_SHUTDOWN ? value_name(words[which]) : value_none();
}
