/* SPDX-License-Identifier: MIT */
/* The table of descriptors: one row for each descriptor that is a socket, as lsof lists them. */
/*
 * Rows are positions in join.order. The socket's columns are those of the table of sockets, the
 * process's those of the table of processes.
 */
#include "derive/join.h"
#include "table/cells.h"
#include "table/socket_details.h"
#include "table/socket_facts.h"
#include "table/socket_text.h"

#define PROCESS_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return process_##name(view, view_holder(view, row)->process);                              \
    }

PROCESS_COLUMN(pid)
PROCESS_COLUMN(ppid)
PROCESS_COLUMN(pgid)
PROCESS_COLUMN(comm)
PROCESS_COLUMN(uid)
PROCESS_COLUMN(user)
PROCESS_COLUMN(exe)
PROCESS_COLUMN(cmdline)
PROCESS_COLUMN(unit)
PROCESS_COLUMN(container)

/* A getter of the socket: its row in the table of sockets. */
#define SOCKET_COLUMN(name)                                                                        \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return socket_##name(view, view->join->order_sockets[row]);                                \
    }

SOCKET_COLUMN(proto)
SOCKET_COLUMN(family)
SOCKET_COLUMN(type)
SOCKET_COLUMN(state)
SOCKET_COLUMN(recv_q)
SOCKET_COLUMN(send_q)
SOCKET_COLUMN(local_text)
SOCKET_COLUMN(peer_text)
SOCKET_COLUMN(local_addr)
SOCKET_COLUMN(local_port)
SOCKET_COLUMN(peer_addr)
SOCKET_COLUMN(peer_port)
SOCKET_COLUMN(path)
SOCKET_COLUMN(peer_inode)
SOCKET_COLUMN(netns)
SOCKET_COLUMN(inode)
SOCKET_COLUMN(cookie)
SOCKET_COLUMN(kernel_address)

/* Each socket is opened for reading and writing: no flags at all are unknown ones. */
static struct value get_fd_flags(const struct view *view, uint32_t row)
{
    const struct fd_flags *open = snapshot_fd_flags(view->snapshot, view_holder(view, row));

    return cell_number(open && open->flags, open ? open->flags : 0);
}

#define TEXT COLUMN_TEXT
#define MACHINE COLUMN_MACHINE
#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column columns[] = {
    {"pid", "PID", "Process id", KIND_ID, SHOWN | COLUMN_KEY, 0, get_pid},
    {"ppid", "PPID", "Process id of the parent", KIND_ID, 0, NEED_PROCESS_STAT, get_ppid},
    {"pgid", "PGID", "Process group", KIND_ID, 0, NEED_PROCESS_STAT, get_pgid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, get_comm},
    {"uid", "UID", "User id of the process", KIND_ID, MACHINE, NEED_USER, get_uid},
    {"user", "USER", "User of the process", KIND_TEXT, SHOWN, NEED_USER, get_user},
    {"fd", "FD", "Descriptor", KIND_ID, SHOWN | COLUMN_KEY, 0, holder_fd},
    {"tid", "TID", "Thread, when the descriptor is in a table of its own", KIND_ID, COLUMN_KEY, 0,
     holder_tid},
    {"fd_flags", "FD-FLAGS", "Flags of open(2) that the descriptor has now", KIND_HEX, 0,
     NEED_FD_FLAGS, get_fd_flags},
    {"proto", "PROTO", "Protocol", KIND_NAME, SHOWN, 0, get_proto},
    {"family", "FAMILY", "Address family", KIND_NAME, MACHINE, 0, get_family},
    {"type", "TYPE", "Socket type", KIND_NAME, 0, 0, get_type},
    {"state", "STATE", "State, in the words of ss(8)", KIND_NAME, SHOWN, 0, get_state},
    {"recv_q", "RECV-Q", "Bytes not read yet; listening: connections not accepted yet", KIND_COUNT,
     0, 0, get_recv_q},
    {"send_q", "SEND-Q", "Bytes not acknowledged yet; listening: limit of the accept queue",
     KIND_COUNT, 0, 0, get_send_q},
    {"local", "LOCAL", "Own address and port, or path", KIND_ENDPOINT, TEXT | COLUMN_COMPOSED,
     NEED_INTERFACES, get_local_text},
    {"peer", "PEER", "Address and port of the other end, or its path", KIND_ENDPOINT,
     TEXT | COLUMN_COMPOSED, NEED_UNIX_PEER, get_peer_text},
    {"local_addr", "LOCAL-ADDR", "Own address", KIND_ADDRESS, MACHINE, 0, get_local_addr},
    {"local_port", "LPORT", "Own port", KIND_PORT, MACHINE, 0, get_local_port},
    {"peer_addr", "PEER-ADDR", "Address of the other end", KIND_ADDRESS, MACHINE, 0, get_peer_addr},
    {"peer_port", "PPORT", "Port of the other end", KIND_PORT, MACHINE, 0, get_peer_port},
    {"path", "PATH", "Name of a unix socket; an abstract one begins with @", KIND_TEXT, MACHINE, 0,
     get_path},
    {"peer_inode", "PEER-INODE", "Inode of the unix socket at the other end", KIND_ID, 0, 0,
     get_peer_inode},
    {"netns", "NETNS", "Network namespace: its name, init, or its inode", KIND_TEXT, 0, 0,
     get_netns},
    {"inode", "INODE", "Inode of the socket", KIND_ID, MACHINE, 0, get_inode},
    {"cookie", "COOKIE", "Cookie of the socket (SO_COOKIE), unique while the machine is up",
     KIND_ID, 0, 0, get_cookie},
    {"kernel_address", "ADDRESS",
     "Address of the kernel's unix socket, hashed as /proc/net/unix shows it", KIND_HEX, 0,
     NEED_REFERENCES, get_kernel_address},
    {"exe", "EXE", "Program file", KIND_TEXT, 0, NEED_EXE, get_exe},
    {"cmdline", "CMDLINE", "Command line", KIND_TEXT, 0, NEED_CMDLINE, get_cmdline},
    {"unit", "UNIT", "systemd unit", KIND_TEXT, 0, NEED_CGROUP, get_unit},
    {"container", "CONTAINER", "Container", KIND_TEXT, 0, NEED_CGROUP, get_container},
    {"thread_list", "THREADS", "Threads that share the descriptor", KIND_LIST, 0, NEED_THREADS,
     holder_thread_list},
};

static uint32_t row_netns(const struct view *view, uint32_t row)
{
    return view_socket(view, view->join->order_sockets[row])->netns;
}

static uint32_t row_count(const struct view *view)
{
    return view->join->order_count;
}

/* By process, then descriptor: the order in which /proc shows them. */
static uint64_t order(const struct view *view, uint32_t row)
{
    const struct holder *holder = view_holder(view, row);

    return (uint64_t)view->snapshot->processes[holder->process].pid << 32 | (uint32_t)holder->fd;
}

/* The same descriptor may be another socket in the next snapshot, which then is a changed row. */
static uint64_t identity(const struct view *view, uint32_t row)
{
    return order(view, row) ^ (uint64_t)view_holder(view, row)->tid << 40;
}

static void prefetch(const struct view *view, uint32_t row)
{
    const char *socket = (const char *)&view->snapshot->sockets[view->join->order_sockets[row]];

    __builtin_prefetch(socket);
    __builtin_prefetch(socket + sizeof(struct socket) - 1);
}

const struct table table_descriptors = {
    .name = "descriptors",
    .help = "Descriptors of processes that are sockets, one row each",
    .needs = NEED_SOCKETS | NEED_OWNERS | NEED_DESCRIPTORS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
    .netns = row_netns,
    .prefetch = prefetch,
    .order = order,
    .identity = identity,
};
