/* SPDX-License-Identifier: MIT */
/* Composes the texts of sockets in scratch. */
#include "table/socket_text.h"

#include "derive/address.h"
#include "derive/join.h"
#include "table/cells.h"

#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void put_string(const struct view *view, struct buf *text, uint32_t string)
{
    size_t length;
    const char *bytes = snapshot_string(view->snapshot, string, &length);

    buf_put(text, bytes, length);
}

static void put_interface(const struct view *view, struct buf *text, const struct socket *socket)
{
    const struct interface *interface =
        snapshot_interface(view->snapshot, socket->netns, socket->ifindex);

    if (interface)
        put_string(view, text, interface->name);
    else
        buf_uint(text, socket->ifindex);
}

/* Numbers with a name, for the protocols of raw, packet and netlink sockets. */
struct number_name {
    uint32_t number;
    const char *name;
};

static const struct number_name ip_protocols[] = {
    {IPPROTO_ICMP, "icmp"}, {IPPROTO_IGMP, "igmp"},
    {IPPROTO_TCP, "tcp"},   {IPPROTO_UDP, "udp"},
    {IPPROTO_GRE, "gre"},   {IPPROTO_ESP, "esp"},
    {IPPROTO_AH, "ah"},     {IPPROTO_ICMPV6, "icmpv6"},
    {89, "ospf"},           {IPPROTO_PIM, "pim"},
    {112, "vrrp"},          {IPPROTO_SCTP, "sctp"},
    {IPPROTO_RAW, "raw"},   {IPPROTO_IPIP, "ipip"},
    {IPPROTO_IPV6, "ipv6"},
};

static const struct number_name ether_protocols[] = {
    {ETH_P_ALL, "all"},       {ETH_P_IP, "ip"},      {ETH_P_IPV6, "ipv6"},
    {ETH_P_ARP, "arp"},       {ETH_P_8021Q, "vlan"}, {ETH_P_PAE, "eapol"},
    {ETH_P_LLDP, "lldp"},     {ETH_P_RARP, "rarp"},  {ETH_P_PPP_DISC, "pppoe-disc"},
    {ETH_P_PPP_SES, "pppoe"}, {ETH_P_1588, "ptp"},
};

static const struct number_name netlink_protocols[] = {
    {NETLINK_ROUTE, "route"},
    {NETLINK_USERSOCK, "usersock"},
    {NETLINK_SOCK_DIAG, "sock_diag"},
    {NETLINK_NFLOG, "nflog"},
    {NETLINK_XFRM, "xfrm"},
    {NETLINK_SELINUX, "selinux"},
    {NETLINK_AUDIT, "audit"},
    {NETLINK_FIB_LOOKUP, "fib_lookup"},
    {NETLINK_CONNECTOR, "connector"},
    {NETLINK_NETFILTER, "netfilter"},
    {NETLINK_KOBJECT_UEVENT, "uevent"},
    {NETLINK_GENERIC, "generic"},
    {NETLINK_SCSITRANSPORT, "scsi"},
    {NETLINK_RDMA, "rdma"},
    {NETLINK_CRYPTO, "crypto"},
};

static void put_number_name(struct buf *text, const struct number_name *names, size_t count,
                            uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number) {
            buf_puts(text, names[i].name);
            return;
        }
    buf_uint(text, number);
}

/* A service on the wildcard of both families is written "*", as a v6-only one is not. */
static bool is_dual_stack(const struct socket *socket)
{
    return socket->family == AF_INET6 && socket->has & SOCKET_HAS_V6ONLY &&
           !(socket->flags & SOCKET_V6ONLY) && address_is_any(socket->family, &socket->local);
}

static void put_inet(const struct view *view, struct buf *text, const struct socket *socket,
                     bool local)
{
    const union address *address = local ? &socket->local : &socket->peer;
    uint16_t port = local ? socket->local_port : socket->peer_port;
    struct value value = {.type = VALUE_ADDRESS, .address = {address->bytes, socket->family}};
    const char *name = view->resolve ? view->resolve(view->resolve_context, &value) : NULL;

    if (address_is_any(socket->family, address) && (!local || is_dual_stack(socket)))
        buf_byte(text, '*');
    else if (name)
        buf_puts(text, name);
    else
        buf_host(text, socket->family, address->bytes);
    if (local && socket->ifindex) {
        buf_byte(text, '%');
        put_interface(view, text, socket);
    }
    buf_byte(text, ':');
    if (socket->proto == PROTO_RAW && local)
        put_number_name(text, ip_protocols, ARRAY_SIZE(ip_protocols), socket->protocol);
    else if (port)
        buf_uint(text, port);
    else
        buf_byte(text, '*');
}

static void put_unix_name(const struct view *view, struct buf *text, const struct socket *socket)
{
    if (socket->flags & SOCKET_ABSTRACT)
        buf_byte(text, '@');
    if (socket->path || socket->flags & SOCKET_ABSTRACT) {
        put_string(view, text, socket->path);
    } else {
        buf_byte(text, '#');
        buf_uint(text, socket->inode);
    }
}

static void put_unix_peer(const struct view *view, struct buf *text, const struct socket *socket)
{
    uint32_t peer =
        socket->peer_inode ? map_get(&view->join->by_inode, socket->peer_inode) : MAP_NONE;

    if (!socket->peer_inode) {
        buf_byte(text, '*');
    } else if (peer != MAP_NONE) {
        put_unix_name(view, text, view_socket(view, peer));
    } else {
        buf_byte(text, '#');
        buf_uint(text, socket->peer_inode);
    }
}

static void put_packet(const struct view *view, struct buf *text, const struct socket *socket)
{
    put_number_name(text, ether_protocols, ARRAY_SIZE(ether_protocols), socket->protocol);
    buf_byte(text, ':');
    if (socket->ifindex)
        put_interface(view, text, socket);
    else
        buf_byte(text, '*');
}

static void put_netlink(struct buf *text, const struct socket *socket)
{
    put_number_name(text, netlink_protocols, ARRAY_SIZE(netlink_protocols), socket->protocol);
    buf_byte(text, ':');
    if (socket->local.words[0])
        buf_uint(text, socket->local.words[0]);
    else
        buf_puts(text, "kernel");
}

/* CID and port; all ones means any. */
static void put_vsock(struct buf *text, const union address *address)
{
    for (int i = 0; i < 2; i++) {
        if (address->words[i] == UINT32_MAX)
            buf_byte(text, '*');
        else
            buf_uint(text, address->words[i]);
        if (i == 0)
            buf_byte(text, ':');
    }
}

static void put_end(const struct view *view, struct buf *text, const struct socket *socket,
                    bool local)
{
    switch (socket->family) {
    case AF_INET:
    case AF_INET6:
        put_inet(view, text, socket, local);
        break;
    case AF_UNIX:
        if (local)
            put_unix_name(view, text, socket);
        else
            put_unix_peer(view, text, socket);
        break;
    case AF_PACKET:
        if (local)
            put_packet(view, text, socket);
        else
            buf_byte(text, '*');
        break;
    case AF_NETLINK:
        if (local)
            put_netlink(text, socket);
        else
            buf_byte(text, '*');
        break;
    case AF_VSOCK:
        put_vsock(text, local ? &socket->local : &socket->peer);
        break;
    default:
        buf_byte(text, '*');
    }
}

static struct value end_text(const struct view *view, uint32_t row, bool local)
{
    buf_reset(view->scratch);
    put_end(view, view->scratch, view_socket(view, row), local);
    return cell_scratch(view, 0);
}

struct value socket_local_text(const struct view *view, uint32_t row)
{
    return end_text(view, row, true);
}

struct value socket_peer_text(const struct view *view, uint32_t row)
{
    return end_text(view, row, false);
}

/* More pids than these are only counted: hundreds of workers may share one listener. */
#define PIDS_SHOWN 6

/* One group of holders with the same name: "nginx(1187,1190,1191 +5)". Returns the position behind
 * the group. */
static uint32_t put_same_name(const struct view *view, struct buf *text, uint32_t row,
                              uint32_t from)
{
    const struct snapshot *snapshot = view->snapshot;
    uint32_t count = view->join->sockets[row].holder_count, position, shown = 0, more = 0;
    uint32_t last = JOIN_NONE;
    uint32_t comm = snapshot->processes[join_holder(snapshot, view->join, row, from)->process].comm;

    put_string(view, text, comm);
    buf_byte(text, '(');
    for (position = from; position < count; position++) {
        uint32_t process = join_holder(snapshot, view->join, row, position)->process;

        if (snapshot->processes[process].comm != comm)
            break;
        if (process == last)
            continue;
        last = process;
        if (shown == PIDS_SHOWN) {
            more++;
            continue;
        }
        if (shown++)
            buf_byte(text, ',');
        buf_uint(text, snapshot->processes[process].pid);
    }
    if (more) {
        buf_puts(text, " +");
        buf_uint(text, more);
    }
    buf_byte(text, ')');
    return position;
}

/* Threads: how many share the descriptors, or which one has its own. */
static void put_threads(const struct view *view, struct buf *text, uint32_t row)
{
    const struct holder *holder = join_holder(view->snapshot, view->join, row, 0);
    const struct process_join *process = &view->join->processes[holder->process];

    if (holder->tid) {
        buf_puts(text, " tid ");
        buf_uint(text, holder->tid);
    } else if (process->sharing_threads > 1) {
        buf_puts(text, " shared by ");
        buf_uint(text, process->sharing_threads);
        buf_puts(text, " threads");
    }
}

static void put_owners(const struct view *view, struct buf *text, uint32_t row)
{
    uint32_t count = view->join->sockets[row].holder_count, position = 0;

    while (position < count) {
        if (position)
            buf_byte(text, ' ');
        position = put_same_name(view, text, row, position);
    }
    if (count == 1) {
        buf_puts(text, " fd ");
        buf_int(text, join_holder(view->snapshot, view->join, row, 0)->fd);
    }
    put_threads(view, text, row);
}

bool socket_put_owner(const struct view *view, struct buf *text, uint32_t row)
{
    const struct socket_join *joined = &view->join->sockets[row];

    if (joined->holder_count) {
        put_owners(view, text, row);
    } else if (joined->reason == OWNER_UNKNOWN) {
        return false;
    } else {
        buf_byte(text, '(');
        join_owner_note(view->snapshot, view->join, row, text);
        buf_byte(text, ')');
    }
    return true;
}

struct value socket_owner_text(const struct view *view, uint32_t row)
{
    buf_reset(view->scratch);
    return socket_put_owner(view, view->scratch, row) ? cell_scratch(view, 0) : value_none();
}

struct value socket_owner_note(const struct view *view, uint32_t row)
{
    const struct socket_join *joined = &view->join->sockets[row];

    if (joined->reason == OWNER_FOUND || joined->reason == OWNER_UNKNOWN)
        return value_none();
    buf_reset(view->scratch);
    join_owner_note(view->snapshot, view->join, row, view->scratch);
    return cell_scratch(view, 0);
}

struct value socket_peer_owner_text(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    uint32_t inode = socket->family == AF_UNIX ? socket->peer_inode : 0;
    uint32_t peer = inode ? map_get(&view->join->by_inode, inode) : MAP_NONE;

    return peer == MAP_NONE ? value_none() : socket_owner_text(view, peer);
}

struct value socket_serves(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    if (socket->family == AF_INET)
        return value_name("v4");
    if (socket->family != AF_INET6)
        return value_none();
    if (address_is_mapped(socket->family, &socket->local))
        return value_name("v4");
    if (!address_is_any(socket->family, &socket->local))
        return value_name("v6");
    if (!(socket->has & SOCKET_HAS_V6ONLY))
        return value_none();
    return value_name(is_dual_stack(socket) ? "v4+v6" : "v6");
}

struct value socket_limited(const struct view *view, uint32_t row)
{
    const struct tcp_details *tcp = snapshot_tcp(view->snapshot, view_socket(view, row));
    uint64_t waited;

    if (!tcp || !tcp->busy_us)
        return value_none();
    waited = tcp->rwnd_limited_us > tcp->sndbuf_limited_us ? tcp->rwnd_limited_us
                                                           : tcp->sndbuf_limited_us;
    if (!waited)
        return value_none();
    buf_reset(view->scratch);
    buf_puts(view->scratch, waited == tcp->rwnd_limited_us ? "rwnd " : "sndbuf ");
    buf_uint(view->scratch, (waited * 100 + tcp->busy_us / 2) / tcp->busy_us);
    buf_byte(view->scratch, '%');
    return cell_scratch(view, 0);
}

struct value socket_iface(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    if (!socket->ifindex)
        return value_none();
    buf_reset(view->scratch);
    put_interface(view, view->scratch, socket);
    return cell_scratch(view, 0);
}
