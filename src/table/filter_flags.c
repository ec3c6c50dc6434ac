/* SPDX-License-Identifier: MIT */
/* Filter language: the flags (one word, true or false of a socket), and fields of no table. */
#include "table/filter_tree.h"

#include "derive/address.h"
#include "derive/health/ills.h"
#include "table/cells.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static bool is_listening(const struct socket *socket)
{
    const uint32_t datagram = PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE);

    if (socket->state == STATE_LISTENING)
        return true;
    return (PROTO_BIT(socket->proto) & datagram) && socket->state == STATE_UNCONNECTED &&
           socket->local_port != 0;
}

static bool is_exposed(const struct socket *socket)
{
    enum address_scope scope;

    if (!is_listening(socket) || !address_is_inet(socket->family))
        return false;
    scope = address_scope(socket->family, &socket->local);
    return scope == SCOPE_ANY || scope == SCOPE_PUBLIC;
}

static struct value get_listen(const struct view *view, uint32_t row)
{
    return value_bool(is_listening(view_socket(view, row)));
}

static struct value get_exposed(const struct view *view, uint32_t row)
{
    return value_bool(is_exposed(view_socket(view, row)));
}

static struct value get_direction(const struct view *view, uint32_t row,
                                  enum socket_direction direction)
{
    return value_bool(view->join && view->join->sockets[row].direction == direction);
}

static struct value get_in(const struct view *view, uint32_t row)
{
    return get_direction(view, row, DIRECTION_IN);
}

static struct value get_out(const struct view *view, uint32_t row)
{
    return get_direction(view, row, DIRECTION_OUT);
}

static struct value get_local(const struct view *view, uint32_t row)
{
    return get_direction(view, row, DIRECTION_LOCAL);
}

static struct value get_unowned(const struct view *view, uint32_t row)
{
    const struct socket_join *join = view->join ? &view->join->sockets[row] : NULL;

    return value_bool(join && join->holder_count == 0 && join->reason != OWNER_UNKNOWN);
}

static struct value get_kernel(const struct view *view, uint32_t row)
{
    bool by_kernel = view->join && view->join->sockets[row].reason == OWNER_KERNEL;

    return value_bool(by_kernel || (view_socket(view, row)->flags & SOCKET_KERNEL));
}

static struct value get_orphan(const struct view *view, uint32_t row)
{
    return value_bool(view->join && view->join->sockets[row].reason == OWNER_ORPHAN);
}

/* One of the processes that hold the socket has this flag. */
static struct value get_process_flag(const struct view *view, uint32_t row, uint32_t flag)
{
    uint32_t count = view->join ? view->join->sockets[row].holder_count : 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct holder *holder = join_holder(view->snapshot, view->join, row, i);

        if (view->snapshot->processes[holder->process].flags & flag)
            return value_bool(true);
    }
    return value_bool(false);
}

static struct value get_deleted(const struct view *view, uint32_t row)
{
    return get_process_flag(view, row, PROCESS_EXE_DELETED);
}

static struct value get_memfd(const struct view *view, uint32_t row)
{
    return get_process_flag(view, row, PROCESS_EXE_MEMFD);
}

static struct value get_keepalive(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return value_bool((socket->has & SOCKET_HAS_TIMER) && socket->timer == TIMER_KEEPALIVE);
}

static struct value get_v6only(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return value_bool((socket->has & SOCKET_HAS_V6ONLY) && (socket->flags & SOCKET_V6ONLY));
}

static uint32_t ills_of(const struct view *view, uint32_t row)
{
    return ills_of_socket(view->snapshot, view->join, view->rates, row);
}

static struct value get_stuck(const struct view *view, uint32_t row)
{
    return value_bool(ills_of(view, row) & ILL_STUCK);
}

static struct value get_sick(const struct view *view, uint32_t row)
{
    return value_bool(ills_of(view, row));
}

#define INET_TCP                                                                                   \
    (PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_MPTCP) | PROTO_BIT(PROTO_SCTP) | PROTO_BIT(PROTO_DCCP))
#define LISTEN_STATES (STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_UNCONNECTED))
#define FLAG(word, what, need, proto, state)                                                       \
    {                                                                                              \
        .column = {.name = #word,                                                                  \
                   .help = (what),                                                                 \
                   .kind = KIND_BOOL,                                                              \
                   .needs = (need),                                                                \
                   .get = get_##word},                                                             \
        .protos = (proto), .states = (state)                                                       \
    }

static const struct filter_flag flags[] = {
    FLAG(listen, "waits for connections, or for datagrams from anybody", NEED_SOCKETS, ~0u,
         LISTEN_STATES),
    FLAG(exposed, "listens on every address or on a public one", NEED_SOCKETS, PROTO_INET_ALL,
         LISTEN_STATES),
    FLAG(in, "the other side connected to us", NEED_SOCKETS | NEED_LISTENERS, ~0u, ~0u),
    FLAG(out, "we connected to the other side", NEED_SOCKETS | NEED_LISTENERS, ~0u, ~0u),
    FLAG(local, "both ends are on this machine", NEED_SOCKETS | NEED_LISTENERS, ~0u, ~0u),
    FLAG(unowned, "no process holds it", NEED_SOCKETS | NEED_HELD, ~0u, ~0u),
    FLAG(orphan, "closed by its process, the kernel still sends",
         NEED_SOCKETS | NEED_HELD | NEED_LISTENERS, INET_TCP, ~0u),
    FLAG(kernel, "made by the kernel for itself", NEED_SOCKETS | NEED_HELD | NEED_LISTENERS, ~0u,
         ~0u),
    FLAG(deleted, "the program file of an owner was deleted or replaced",
         NEED_SOCKETS | NEED_OWNERS | NEED_EXE, ~0u, ~0u),
    FLAG(memfd, "the program of an owner was never a file on disk",
         NEED_SOCKETS | NEED_OWNERS | NEED_EXE, ~0u, ~0u),
    FLAG(keepalive, "its keepalive timer runs", NEED_SOCKETS, INET_TCP, ~0u),
    FLAG(v6only, "IPv6 only: takes no IPv4 connections", NEED_SOCKETS | NEED_EXACT_DETAILS,
         PROTO_INET_ALL, ~0u),
    FLAG(stuck, "data waits: the peer's window is closed, or nobody reads what came",
         NEED_SOCKETS | NEED_TCP_INFO | NEED_MEMORY, ~0u,
         ~(STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_LISTENING))),
    FLAG(sick, "close-wait, stuck, a full accept or SYN queue, or much is sent again",
         NEED_SOCKETS | NEED_TCP_INFO | NEED_MEMORY | NEED_SYN_QUEUE, ~0u,
         ~STATE_BIT(STATE_TIME_WAIT)),
};

const struct filter_flag *filter_flag(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (strcasecmp(word, flags[i].column.name) == 0)
            return &flags[i];
    return NULL;
}

bool filter_flag_help(uint32_t index, const char **ret_word, const char **ret_help)
{
    if (index >= ARRAY_SIZE(flags))
        return false;
    *ret_word = flags[index].column.name;
    *ret_help = flags[index].column.help;
    return true;
}

/* Since when nothing was sent or received: the smaller of the two. */
static struct value get_idle(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    const struct tcp_details *tcp = snapshot_tcp(view->snapshot, socket);

    if (!tcp || tcp->known < TCP_INFO_FIRST || socket->state == STATE_LISTENING)
        return value_none();
    return value_uint(tcp->last_data_sent_ms < tcp->last_data_recv_ms ? tcp->last_data_sent_ms
                                                                      : tcp->last_data_recv_ms);
}

static struct value get_ifindex(const struct view *view, uint32_t row)
{
    return value_uint(view_socket(view, row)->ifindex);
}

static const struct column fields[] = {
    {.name = "idle",
     .kind = KIND_MILLISECONDS,
     .needs = NEED_SOCKETS | NEED_TCP_INFO,
     .get = get_idle},
    {.name = "ifindex", .kind = KIND_ID, .needs = NEED_SOCKETS, .get = get_ifindex},
};

const struct column *filter_extra_column(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strcasecmp(word, fields[i].name) == 0)
            return &fields[i];
    return NULL;
}
