/* SPDX-License-Identifier: MIT */
/* One socket as a row of ss(8): kind, state, queues, both ends, processes. */
#include "compat/ss_row.h"

#include "compat/ss_details.h"
#include "compat/ss_unix_file.h"
#include "compat/tcp_state.h"
#include "derive/join.h"
#include "table/cells.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

static const char *const inet_kinds[PROTO_MAX] = {
    [PROTO_TCP] = "tcp",     [PROTO_UDP] = "udp",   [PROTO_RAW] = "raw",
    [PROTO_MPTCP] = "mptcp", [PROTO_SCTP] = "sctp", [PROTO_DCCP] = "dccp",
};

static const char *unix_kind(unsigned int type)
{
    switch (type) {
    case SOCK_STREAM:
        return "u_str";
    case SOCK_SEQPACKET:
        return "u_seq";
    default:
        return "u_dgr";
    }
}

static const char *kind_of(const struct socket *socket)
{
    switch (socket->family) {
    case AF_UNIX:
        return unix_kind(socket->type);
    case AF_PACKET:
        return socket->type == SOCK_RAW ? "p_raw" : "p_dgr";
    case AF_NETLINK:
        return "nl";
    case AF_VSOCK:
        return socket->type == SOCK_STREAM ? "v_str" : "v_dgr";
    default:
        return inet_kinds[socket->proto] ? inet_kinds[socket->proto] : "???";
    }
}

/* As "%-6d". */
static void put_queue(struct buf *text, uint32_t bytes)
{
    size_t start = text->length;

    buf_int(text, (int32_t)bytes);
    if (text->length < start + 6)
        buf_pad(text, start + 6 - text->length);
}

static void put_front(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);

    ss_layout_go(&writer->layout, SS_COLUMN_NETID);
    buf_puts(text, kind_of(socket));
    ss_layout_go(&writer->layout, SS_COLUMN_STATE);
    buf_puts(text, tcp_state_ss_name(ss_shown_state(socket)));
    ss_layout_go(&writer->layout, SS_COLUMN_RECV_Q);
    put_queue(text, socket->recv_q);
    ss_layout_go(&writer->layout, SS_COLUMN_SEND_Q);
    put_queue(text, socket->send_q);
    ss_layout_go(&writer->layout, SS_COLUMN_LOCAL_ADDRESS);
}

static void put_string(struct ss_writer *writer, const char *string)
{
    ss_layout_foreign(&writer->layout, string, strlen(string));
}

/* As the real tool finds it in /proc/PID/stat: up to its first closing parenthesis. */
static void put_comm(struct ss_writer *writer, uint32_t comm)
{
    size_t length;
    const char *name = snapshot_string(writer->view->snapshot, comm, &length);
    const char *end = memchr(name, ')', length);

    ss_layout_foreign(&writer->layout, name, end ? (size_t)(end - name) : length);
}

/* --- interfaces --- */

static void put_interface(struct ss_writer *writer, const struct socket *socket)
{
    const struct snapshot *snapshot = writer->names->snapshot;
    const struct interface *interface =
        snapshot_interface(snapshot, socket->netns, socket->ifindex);

    if (interface)
        put_string(writer, snapshot_string(snapshot, interface->name, NULL));
    else
        buf_printf(ss_layout_text(&writer->layout), "if%u", socket->ifindex);
}

/* --- addresses --- */

/* IPv4 by hand: a large output has millions of them. */
static void put_number_address(struct buf *text, unsigned int family, const union address *address)
{
    char name[INET6_ADDRSTRLEN];

    if (family == AF_INET) {
        buf_address(text, family, address->bytes);
        return;
    }
    inet_ntop((int)family, address->bytes, name, sizeof(name));
    buf_byte(text, '[');
    buf_puts(text, name);
    buf_byte(text, ']');
}

/* The wildcard of a socket that serves both families is "*"; a peer is written as its socket. */
static void put_address(struct ss_writer *writer, const struct socket *socket,
                        const union address *address)
{
    static const union address any;
    struct buf *text = ss_layout_text(&writer->layout);
    const char *name;

    if (socket->family == AF_INET6 && !(socket->flags & SOCKET_V6ONLY) &&
        memcmp(address, &any, sizeof(any)) == 0) {
        buf_byte(text, '*');
        return;
    }
    name = writer->options->resolve ? ss_host_name(writer->names, socket->family, address) : NULL;
    if (name && strchr(name, ':'))
        name = NULL;
    if (name)
        put_string(writer, name);
    else
        put_number_address(text, socket->family, address);
}

/* Names are looked up in the list of the protocol; those that have none share all lists. */
static const char *port_name(struct ss_writer *writer, const struct socket *socket, uint16_t port)
{
    if (writer->options->numeric)
        return NULL;
    switch (socket->proto) {
    case PROTO_RAW:
        return ss_service_name(writer->names, HOST_SERVICE_RAW, port);
    case PROTO_UDP:
        return ss_service_name(writer->names, HOST_SERVICE_UDP, port);
    default:
        return ss_service_name(writer->names, HOST_SERVICE_TCP, port);
    }
}

static void put_port(struct ss_writer *writer, const struct socket *socket, uint16_t port)
{
    struct buf *text = ss_layout_text(&writer->layout);
    const char *name;

    if (!port) {
        buf_byte(text, '*');
        return;
    }
    name = port_name(writer, socket, port);
    if (name)
        put_string(writer, name);
    else if (socket->proto == PROTO_RAW && !writer->options->numeric)
        buf_printf(text, "ipproto-%u", port);
    else
        buf_uint(text, port);
}

static void put_inet(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);
    uint16_t local_port = socket->proto == PROTO_RAW ? socket->protocol : socket->local_port;

    put_address(writer, socket, &socket->local);
    if (socket->ifindex) {
        buf_byte(text, '%');
        put_interface(writer, socket);
    }
    buf_byte(text, ':');
    ss_layout_next(&writer->layout);
    put_port(writer, socket, local_port);
    ss_layout_next(&writer->layout);
    put_address(writer, socket, &socket->peer);
    buf_byte(text, ':');
    ss_layout_next(&writer->layout);
    put_port(writer, socket, socket->peer_port);
    ss_layout_next(&writer->layout);
}

/* An abstract name: the NUL in front, and those in it, become "@". */
static void put_unix_name(struct ss_writer *writer, const struct socket *socket)
{
    size_t length, at = 0;
    const char *name = snapshot_string(writer->view->snapshot, socket->path, &length);

    if (!(socket->has & SOCKET_HAS_COOKIE))
        length = ss_unix_file_name(name, length);
    if (socket->flags & SOCKET_ABSTRACT)
        buf_byte(ss_layout_text(&writer->layout), '@');
    else if (!length)
        buf_byte(ss_layout_text(&writer->layout), '*');
    while (at < length) {
        size_t part = strnlen(name + at, length - at);

        ss_layout_foreign(&writer->layout, name + at, part);
        at += part;
        if (at < length)
            buf_byte(ss_layout_text(&writer->layout), '@');
        at++;
    }
}

static void put_unix(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);

    put_unix_name(writer, socket);
    buf_byte(text, ' ');
    ss_layout_next(&writer->layout);
    buf_int(text, (int32_t)socket->inode);
    ss_layout_next(&writer->layout);
    buf_puts(text, "* ");
    ss_layout_next(&writer->layout);
    buf_int(text, (int32_t)socket->peer_inode);
    ss_layout_next(&writer->layout);
}

/* Neither end of the others has a port behind the peer. */
static void put_no_peer(struct ss_writer *writer)
{
    ss_layout_next(&writer->layout);
    buf_byte(ss_layout_text(&writer->layout), '*');
    ss_layout_next(&writer->layout);
    ss_layout_next(&writer->layout);
}

static void put_packet(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);
    const char *name = writer->options->numeric ? NULL : ss_link_protocol_name(socket->protocol);

    if (socket->protocol == ETH_P_ALL)
        buf_byte(text, '*');
    else if (name)
        buf_puts(text, name);
    else
        buf_printf(text, "[%u]", socket->protocol);
    buf_byte(text, ':');
    ss_layout_next(&writer->layout);
    if (socket->ifindex)
        put_interface(writer, socket);
    else
        buf_byte(text, '*');
    put_no_peer(writer);
}

/* Port ids are process ids by custom: shown with the name of the process that has that id. */
static void put_netlink_port(struct ss_writer *writer, uint32_t port)
{
    struct buf *text = ss_layout_text(&writer->layout);
    uint32_t process = map_get(&writer->view->snapshot->process_index, port);
    uint32_t comm = process == MAP_NONE ? 0 : writer->view->snapshot->processes[process].comm;

    if (port == 0 && !writer->options->numeric) {
        buf_puts(text, "kernel");
    } else if ((int32_t)port < 0) {
        buf_byte(text, '*');
    } else if (!writer->options->numeric && comm) {
        put_comm(writer, comm);
        buf_byte(text, '/');
        buf_uint(text, port);
    } else {
        buf_uint(text, port);
    }
}

static void put_netlink(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);
    const char *name = writer->options->numeric ? NULL : ss_netlink_family_name(socket->protocol);

    if (name)
        buf_puts(text, name);
    else
        buf_uint(text, socket->protocol);
    buf_byte(text, ':');
    ss_layout_next(&writer->layout);
    put_netlink_port(writer, socket->local.words[0]);
    if (socket->state != STATE_ESTABLISHED) {
        put_no_peer(writer);
        return;
    }
    ss_layout_next(&writer->layout);
    buf_printf(text, "%u:", socket->peer.words[1]);
    ss_layout_next(&writer->layout);
    buf_uint(text, socket->peer.words[0]);
    ss_layout_next(&writer->layout);
}

/* VMADDR_CID_ANY and VMADDR_PORT_ANY are "*". */
static void put_vsock_end(struct ss_writer *writer, const union address *end)
{
    struct buf *text = ss_layout_text(&writer->layout);

    if (end->words[0] == UINT32_MAX)
        buf_byte(text, '*');
    else
        buf_uint(text, end->words[0]);
    buf_byte(text, ':');
    ss_layout_next(&writer->layout);
    if (end->words[1] == UINT32_MAX)
        buf_byte(text, '*');
    else
        buf_uint(text, end->words[1]);
    ss_layout_next(&writer->layout);
}

/* --- processes --- */

/* Users of one socket, put one behind the other. */
struct user_list {
    struct ss_writer *writer;
    uint32_t count;
};

/* `tid` is 0 for a process as a whole. */
static void put_user(struct user_list *list, const struct holder *holder, uint32_t tid,
                     uint32_t comm)
{
    struct ss_writer *writer = list->writer;
    uint32_t pid = writer->view->snapshot->processes[holder->process].pid;
    struct buf *text = ss_layout_text(&writer->layout);

    buf_puts(text, list->count++ ? ",(\"" : " users:((\"");
    put_comm(writer, comm);
    buf_puts(text, "\",pid=");
    buf_uint(text, pid);
    if (writer->options->threads) {
        buf_puts(text, ",tid=");
        buf_uint(text, tid ? tid : pid);
    }
    buf_puts(text, ",fd=");
    buf_int(text, holder->fd);
    buf_byte(text, ')');
}

/* Holders from..to-1 of a socket are those of one process, by thread and descriptor. */
struct holders {
    uint32_t row, from, to;
};

/* The descriptors of one table: that of the process (`table` 0), or of a thread. */
static void put_table(struct user_list *list, const struct holders *holders, uint32_t table,
                      uint32_t tid, uint32_t comm)
{
    const struct view *view = list->writer->view;

    for (uint32_t i = holders->to; i-- > holders->from;) {
        const struct holder *holder = join_holder(view->snapshot, view->join, holders->row, i);

        if (holder->tid == table)
            put_user(list, holder, tid, comm);
    }
}

/* Every thread is shown with what it can reach: its own table, or that of the process. */
static void put_threads(struct user_list *list, const struct holders *holders, uint32_t process)
{
    const struct view *view = list->writer->view;
    const struct process_join *joined = &view->join->processes[process];

    for (uint32_t i = joined->thread_count; i-- > 0;) {
        const struct thread *thread = &view->snapshot->threads[joined->first_thread + i];

        if (thread->tid != view->snapshot->processes[process].pid)
            put_table(list, holders, thread->private_files ? thread->tid : 0, thread->tid,
                      thread->comm);
    }
}

/* The last one found comes first: that of the highest pid. */
static void put_users(struct ss_writer *writer, uint32_t row)
{
    const struct view *view = writer->view;
    struct user_list list = {.writer = writer};
    struct holders holders = {.row = row, .from = view->join->sockets[row].holder_count};

    if (!view_socket(view, row)->inode)
        return;
    while (holders.from > 0) {
        uint32_t process = join_holder(view->snapshot, view->join, row, holders.from - 1)->process;

        holders.to = holders.from--;
        while (holders.from > 0 &&
               join_holder(view->snapshot, view->join, row, holders.from - 1)->process == process)
            holders.from--;
        if (writer->options->threads)
            put_threads(&list, &holders, process);
        put_table(&list, &holders, 0, 0, view->snapshot->processes[process].comm);
    }
    if (list.count)
        buf_byte(ss_layout_text(&writer->layout), ')');
}

void ss_row(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);

    put_front(writer, socket);
    switch (socket->family) {
    case AF_UNIX:
        put_unix(writer, socket);
        break;
    case AF_PACKET:
        put_packet(writer, socket);
        break;
    case AF_NETLINK:
        put_netlink(writer, socket);
        break;
    case AF_VSOCK:
        put_vsock_end(writer, &socket->local);
        put_vsock_end(writer, &socket->peer);
        break;
    default:
        put_inet(writer, socket);
        break;
    }
    if ((writer->options->processes || writer->options->threads) && socket->family != AF_NETLINK)
        put_users(writer, row);
    ss_details(writer, row);
}
