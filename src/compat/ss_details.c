/* SPDX-License-Identifier: MIT */
/* What ss(8) shows behind the columns of internet sockets, and what all sockets share. */
#include "compat/ss_details.h"

#include "derive/join.h"
#include "table/cells.h"

#include <sys/socket.h>

/* --- timer --- */

/* 1234 is "1.234ms", as in the real tool; from 10 minutes on there are no seconds. */
static void put_time(struct buf *text, uint32_t ms)
{
    uint32_t minutes = ms / 60000, seconds = ms / 1000 % 60, rest = ms % 1000;

    if (minutes)
        buf_printf(text, "%umin", minutes);
    if (minutes > 9)
        seconds = 0;
    if (minutes || seconds > 9)
        rest = 0;
    if (seconds)
        buf_printf(text, "%u%s", seconds, rest ? "." : "sec");
    if (rest)
        buf_printf(text, "%03ums", rest);
}

static void put_timer(struct ss_writer *writer, const struct socket *socket)
{
    static const char *const names[] = {"off", "on", "keepalive", "timewait", "persist"};
    struct buf *text = ss_layout_text(&writer->layout);
    const char *name = socket->timer < ARRAY_SIZE(names) ? names[socket->timer] : "unknown";

    if (!(socket->has & SOCKET_HAS_TIMER) || socket->timer == TIMER_OFF)
        return;
    buf_printf(text, " timer:(%s,", socket->proto == PROTO_SCTP ? "T3_RTX" : name);
    put_time(text, socket->timer_ms);
    buf_printf(text, ",%u)", socket->retransmits);
}

/* --- what every socket may have --- */

static void put_cgroup(struct ss_writer *writer, const struct socket *socket)
{
    const struct snapshot *snapshot = writer->view->snapshot;
    struct buf *text = ss_layout_text(&writer->layout);
    size_t length;
    const char *path =
        snapshot_string(snapshot, snapshot_cgroup_path(snapshot, socket->cgroup_id), &length);

    if (length) {
        buf_puts(text, " cgroup:");
        ss_layout_foreign(&writer->layout, path, length);
    } else {
        buf_printf(text, " cgroup:unreachable:%llx", (unsigned long long)socket->cgroup_id);
    }
}

void ss_details_socket(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);

    if (socket->uid)
        buf_printf(text, " uid:%u", socket->uid);
    buf_printf(text, " ino:%u sk:%llx", socket->inode, (unsigned long long)socket->cookie);
    if (socket->mark)
        buf_printf(text, " fwmark:0x%x", socket->mark);
    if (socket->has & SOCKET_HAS_CGROUP && socket->cgroup_id)
        put_cgroup(writer, socket);
}

void ss_details_shutdown(struct ss_writer *writer, const struct socket *socket)
{
    if (socket->has & SOCKET_HAS_SHUTDOWN)
        buf_printf(ss_layout_text(&writer->layout), " %c-%c",
                   socket->flags & SOCKET_SHUT_RECEIVE ? '-' : '<',
                   socket->flags & SOCKET_SHUT_SEND ? '-' : '>');
}

void ss_details_memory(struct ss_writer *writer, const struct socket *socket)
{
    const struct socket_memory *memory = snapshot_memory(writer->view->snapshot, socket);
    struct buf *text = ss_layout_text(&writer->layout);

    if (!memory)
        return;
    buf_printf(text, " skmem:(r%u,rb%u,t%u,tb%u,f%u,w%u,o%u,bl%u", memory->receive,
               memory->receive_limit, memory->send, memory->send_limit, memory->forward,
               memory->write_queue, memory->option, memory->backlog);
    if (socket->has & SOCKET_HAS_DROPS)
        buf_printf(text, ",d%u", socket->drops);
    buf_byte(text, ')');
}

void ss_details_line(struct ss_writer *writer)
{
    buf_puts(ss_layout_text(&writer->layout), writer->options->oneline ? " " : "\n\t");
}

/* --- internet sockets --- */

static void put_extended(struct ss_writer *writer, const struct socket *socket)
{
    ss_details_socket(writer, socket);
    if (socket->family == AF_INET6 && socket->has & SOCKET_HAS_V6ONLY)
        buf_printf(ss_layout_text(&writer->layout), " v6only:%u",
                   (socket->flags & SOCKET_V6ONLY) != 0);
    ss_details_shutdown(writer, socket);
}

/* As "%#x": 0 has no prefix. */
static void put_hex(struct buf *text, const char *name, uint32_t number)
{
    buf_printf(text, number ? " %s:0x%x" : " %s:%x", name, number);
}

static void put_tos(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);

    if (socket->has & SOCKET_HAS_TOS)
        put_hex(text, "tos", socket->inet_options >> INET_TOS_SHIFT & 0xff);
    if (socket->has & SOCKET_HAS_TCLASS)
        put_hex(text, "tclass", socket->inet_options >> INET_TCLASS_SHIFT & 0xff);
    if (socket->has & SOCKET_HAS_CLASS_ID)
        put_hex(text, "class_id", socket->class_id);
}

/* The flags of struct inet_diag_sockopt. */
static void put_options(struct ss_writer *writer, const struct socket *socket)
{
    static const char *const names[] = {
        "recverr",           "is_icsk",         "freebind",      "hdrincl",
        "mc_loop",           "transparent",     "mc_all",        "nodefrag",
        "bind_addr_no_port", "recverr_rfc4884", "defer_connect",
    };
    struct buf *text = ss_layout_text(&writer->layout);

    if (!(socket->inet_options & INET_FLAGS_KNOWN))
        return;
    ss_details_line(writer);
    buf_puts(text, "inet-sockopt: (");
    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
        if (socket->inet_options & 1u << (INET_FLAGS_SHIFT + i))
            buf_printf(text, " %s", names[i]);
    buf_byte(text, ')');
}

/* A file like /proc/net/tcp tells of TCP sockets what ss shows, and little more. */
static void put_of_file(struct ss_writer *writer, const struct socket *socket)
{
    if (socket->proto == PROTO_TCP && writer->options->details)
        ss_details_socket(writer, socket);
}

static void put_inet(struct ss_writer *writer, const struct socket *socket)
{
    const struct ss_options *options = writer->options;

    if (options->timer)
        put_timer(writer, socket);
    if (!(socket->has & SOCKET_HAS_COOKIE)) {
        put_of_file(writer, socket);
        return;
    }
    if (options->details)
        put_extended(writer, socket);
    if (options->tos)
        put_tos(writer, socket);
    if (options->cgroup && socket->has & SOCKET_HAS_CGROUP)
        put_cgroup(writer, socket);
    if (options->inet_options)
        put_options(writer, socket);
    if (!options->memory && (!options->tcp_info || socket->proto == PROTO_UDP))
        return;
    if (!options->oneline)
        ss_details_line(writer);
    if (options->memory)
        ss_details_memory(writer, socket);
    if (options->tcp_info)
        ss_tcp_info(writer, socket);
}

void ss_details(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);

    switch (socket->family) {
    case AF_UNIX:
        ss_details_unix(writer, row);
        break;
    case AF_PACKET:
        ss_details_packet(writer, row);
        break;
    case AF_NETLINK:
        ss_details_netlink(writer, row);
        break;
    case AF_INET:
    case AF_INET6:
        put_inet(writer, socket);
        break;
    default:
        break;
    }
}
