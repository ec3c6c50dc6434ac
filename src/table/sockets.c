/* SPDX-License-Identifier: MIT */
/* The table of sockets: one row a socket. */
#include "base/buf.h"
#include "base/hash.h"
#include "derive/address.h"
#include "derive/join.h"
#include "table/cells.h"
#include "table/nat_cells.h"
#include "table/socket_details.h"
#include "table/socket_facts.h"
#include "table/socket_text.h"

/* The main owner is the holder with the lowest pid: for a service usually the parent of its
 * workers. */
static const struct holder *main_holder(const struct view *view, uint32_t row)
{
    return view->join->sockets[row].holder_count ? join_holder(view->snapshot, view->join, row, 0)
                                                 : NULL;
}

/* --- owners --- */

/* A getter of the main owner's process: get_process_NAME uses process_NAME of cells.h. */
#define OWNER_COLUMN(name)                                                                         \
    static struct value get_owner_##name(const struct view *view, uint32_t row)                    \
    {                                                                                              \
        const struct holder *holder = main_holder(view, row);                                      \
        return holder ? process_##name(view, holder->process) : value_none();                      \
    }

OWNER_COLUMN(pid)
OWNER_COLUMN(comm)
OWNER_COLUMN(exe)
OWNER_COLUMN(cmdline)
OWNER_COLUMN(argv0)
OWNER_COLUMN(unit)
OWNER_COLUMN(container)

static struct value get_tid(const struct view *view, uint32_t row)
{
    const struct holder *holder = main_holder(view, row);

    return cell_number(holder && holder->tid, holder ? holder->tid : 0);
}

static struct value get_fd(const struct view *view, uint32_t row)
{
    const struct holder *holder = main_holder(view, row);

    return cell_number(holder && holder->fd >= 0, holder ? (uint64_t)holder->fd : 0);
}

static struct value get_owners(const struct view *view, uint32_t row)
{
    const struct socket_join *joined = &view->join->sockets[row];

    if (joined->reason == OWNER_UNKNOWN)
        return value_none();
    return (struct value){.type = VALUE_LIST,
                          .list = {&table_owners, joined->first_holder, joined->holder_count}};
}

/* The cgroup in which the socket was made (kernel 5.8); else that of its owner. */
static struct value get_cgroup(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    const struct holder *holder = main_holder(view, row);
    uint32_t path = socket->has & SOCKET_HAS_CGROUP
                        ? snapshot_cgroup_path(view->snapshot, socket->cgroup_id)
                        : 0;

    if (path)
        return cell_string(view, path);
    return holder ? process_cgroup(view, holder->process) : value_none();
}

/* All of them, or the one that has the socket in a descriptor table of its own. */
static struct value get_threads(const struct view *view, uint32_t row)
{
    const struct holder *holder = main_holder(view, row);
    const struct process_join *process = holder ? &view->join->processes[holder->process] : NULL;
    struct value value = {.type = VALUE_LIST};

    if (!process || !process->thread_count)
        return value_none();
    value.list.table = &table_threads;
    value.list.first = process->first_thread;
    value.list.count = process->thread_count;
    for (uint32_t i = 0; holder->tid && i < process->thread_count; i++)
        if (view->snapshot->threads[process->first_thread + i].tid == holder->tid) {
            value.list.first += i;
            value.list.count = 1;
            break;
        }
    return value;
}

#define TEXT COLUMN_TEXT
#define MACHINE COLUMN_MACHINE
#define COMPOSED COLUMN_COMPOSED
#define COUNTER COLUMN_COUNTER
#define OWNERS NEED_OWNERS
#define TCP NEED_TCP_INFO
#define NAT (NEED_CONNTRACK | NEED_ADDRESSES)
#define TRAFFIC (NEED_TCP_INFO | NEED_FLOWS | NEED_WINDOW)

/* name, title, help, kind, flags, needs, getter */
static const struct column columns[] = {
    {"proto", "PROTO", "Protocol", KIND_NAME, TEXT | MACHINE | COLUMN_KEY, 0, socket_proto},
    {"family", "FAMILY", "Address family", KIND_NAME, MACHINE, 0, socket_family},
    {"type", "TYPE", "Socket type", KIND_NAME, 0, 0, socket_type},
    {"state", "STATE", "State, in the words of ss(8)", KIND_NAME, TEXT | MACHINE, 0, socket_state},
    {"recv_q", "RECV-Q", "Bytes not read yet; listening: connections not accepted yet", KIND_COUNT,
     TEXT | MACHINE | COLUMN_MINOR, 0, socket_recv_q},
    {"send_q", "SEND-Q", "Bytes not acknowledged yet; listening: limit of the accept queue",
     KIND_COUNT, TEXT | MACHINE | COLUMN_MINOR, 0, socket_send_q},
    {"local", "LOCAL", "Own address and port, or path", KIND_ENDPOINT, TEXT | COMPOSED,
     NEED_INTERFACES, socket_local_text},
    {"peer", "PEER", "Address and port of the other end, or its path", KIND_ENDPOINT,
     TEXT | COMPOSED, NEED_UNIX_PEER, socket_peer_text},
    {"local_addr", "LOCAL-ADDR", "Own address", KIND_ADDRESS, MACHINE, 0, socket_local_addr},
    {"local_port", "LPORT", "Own port", KIND_PORT, MACHINE, 0, socket_local_port},
    {"peer_addr", "PEER-ADDR", "Address of the other end", KIND_ADDRESS, MACHINE, 0,
     socket_peer_addr},
    {"peer_port", "PPORT", "Port of the other end", KIND_PORT, MACHINE, 0, socket_peer_port},
    {"iface", "IFACE", "Interface that the socket is bound to", KIND_TEXT, MACHINE, NEED_INTERFACES,
     socket_iface},
    {"path", "PATH", "Name of a unix socket; an abstract one begins with @", KIND_TEXT, MACHINE, 0,
     socket_path},
    {"netns", "NETNS", "Network namespace: its name, init, or its inode", KIND_TEXT,
     MACHINE | COLUMN_KEY, 0, socket_netns},
    {"netns_inode", "NETNS-INO", "Inode of the network namespace", KIND_ID, 0, 0,
     socket_netns_inode},
    {"inode", "INODE", "Inode of the socket", KIND_ID, MACHINE, 0, socket_inode},
    {"cookie", "COOKIE", "Cookie of the socket (SO_COOKIE), unique while the machine is up",
     KIND_ID, MACHINE | COLUMN_KEY, 0, socket_cookie},
    {"uid", "UID", "User id of who made the socket", KIND_ID, MACHINE, 0, socket_uid},
    {"user", "USER", "User who made the socket", KIND_TEXT, MACHINE, 0, socket_user},
    {"sick", "SICK",
     "What is wrong: close-wait; peer-full: data waits, the other side takes nothing; unread: the "
     "process does not read; queue-full: a listener's; sent-again: much is lost",
     KIND_TEXT, COLUMN_MARK, TCP | NEED_MEMORY | NEED_SYN_QUEUE, socket_sick},
    {"owner", "OWNER", "Processes that hold the socket, or why there is none", KIND_TEXT,
     TEXT | COMPOSED | COLUMN_OWNER, OWNERS | NEED_LISTENERS, socket_owner_text},
    {"pid", "PID", "Main owner: the holder with the lowest pid", KIND_ID, MACHINE, OWNERS,
     get_owner_pid},
    {"tid", "TID", "Thread, where it holds the socket in a descriptor table of its own", KIND_ID, 0,
     OWNERS | NEED_THREADS, get_tid},
    {"process", "PROCESS", "Name of the main owner", KIND_TEXT, MACHINE, OWNERS, get_owner_comm},
    {"fd", "FD", "Descriptor in the main owner", KIND_ID, MACHINE, OWNERS, get_fd},
    {"exe", "EXE", "Program file of the main owner", KIND_TEXT, 0, OWNERS | NEED_EXE,
     get_owner_exe},
    {"cmdline", "CMDLINE", "Command line of the main owner", KIND_TEXT, 0, OWNERS | NEED_CMDLINE,
     get_owner_cmdline},
    {"argv0", "ARGV0", "First word of the command line of the main owner", KIND_TEXT, 0,
     OWNERS | NEED_CMDLINE, get_owner_argv0},
    {"cgroup", "CGROUP", "Control group of the socket, else of its main owner", KIND_TEXT, 0,
     OWNERS | NEED_CGROUP | NEED_SOCKET_CGROUP, get_cgroup},
    {"unit", "UNIT", "systemd unit of the main owner", KIND_TEXT, 0, OWNERS | NEED_CGROUP,
     get_owner_unit},
    {"container", "CONTAINER", "Container of the main owner", KIND_TEXT, 0, OWNERS | NEED_CGROUP,
     get_owner_container},
    {"owners", "OWNERS", "All holders: pid, process, fd, user, threads", KIND_LIST, MACHINE,
     OWNERS | NEED_USER | NEED_PROCESS_STAT, get_owners},
    {"threads", "THREADS", "Threads of the main owner; private: with other descriptors than it",
     KIND_LIST, 0, OWNERS | NEED_THREADS | NEED_USER, get_threads},
    {"owner_note", "OWNER-NOTE", "Why there is no owner", KIND_TEXT, MACHINE,
     NEED_HELD | NEED_LISTENERS, socket_owner_note},
    {"peer_owner", "PEER-OWNER", "Owner of the unix socket at the other end", KIND_TEXT,
     COMPOSED | COLUMN_OWNER, OWNERS | NEED_UNIX_PEER, socket_peer_owner_text},
    {"direction", "DIR", "listen, in, out, or local (both ends on this machine)", KIND_NAME, 0,
     NEED_LISTENERS, socket_direction},
    {"scope", "SCOPE",
     "Of the peer (listening: of the own address): loopback private public multicast", KIND_NAME, 0,
     0, socket_scope},
    {"serves", "SERVES", "Address families that a bound socket serves: v4, v6, v4+v6", KIND_NAME, 0,
     NEED_EXACT_DETAILS, socket_serves},
    {"accept", "ACCEPT", "Accept queue and its limit; ! when it is full", KIND_TEXT, COMPOSED, 0,
     socket_accept},
    {"accept_queue", "ACCEPT-Q", "Connections that wait to be accepted", KIND_COUNT, 0, 0,
     socket_accept_queue},
    {"backlog", "BACKLOG", "Limit of the accept queue", KIND_COUNT, 0, 0, socket_backlog},
    {"syn_queue", "SYN-Q", "Half-open connections (syn-recv) of the listener", KIND_COUNT, 0,
     NEED_SYN_QUEUE, socket_syn_queue},
    {"timer", "TIMER", "Kernel timer: off on keepalive timewait persist delack", KIND_NAME, 0, 0,
     socket_timer},
    {"timer_ms", "EXPIRES", "Time until the timer fires", KIND_MILLISECONDS, 0, 0, socket_timer_ms},
    {"timer_tries", "TRIES", "How often the timer has sent again, or probed", KIND_COUNT, 0, 0,
     socket_timer_tries},
    {"age_s", "AGE", "Time in the state, where the kernel tells it (time-wait)", KIND_SECONDS, 0, 0,
     socket_age},
    {"retrans", "RETRANS", "Segments sent again since the connection began", KIND_COUNT, COUNTER,
     TCP, socket_retrans},
    {"rtt_us", "RTT", "Smoothed round-trip time", KIND_MICROSECONDS, 0, TCP, socket_rtt},
    {"rttvar_us", "RTTVAR", "Variation of the round-trip time", KIND_MICROSECONDS, 0, TCP,
     socket_rttvar},
    {"min_rtt_us", "MINRTT", "Smallest round-trip time seen", KIND_MICROSECONDS, 0, TCP,
     socket_min_rtt},
    {"rto_us", "RTO", "Retransmission timeout", KIND_MICROSECONDS, 0, TCP, socket_rto},
    {"cwnd", "CWND", "Congestion window in segments", KIND_COUNT, 0, TCP, socket_cwnd},
    {"ssthresh", "SSTHRESH", "Slow start threshold in segments", KIND_COUNT, 0, TCP,
     socket_ssthresh},
    {"mss", "MSS", "Largest segment that is sent", KIND_COUNT, 0, TCP, socket_mss},
    {"pmtu", "PMTU", "Path MTU as the socket knows it", KIND_COUNT, 0, TCP, socket_pmtu},
    {"unacked", "UNACKED", "Segments sent and not acknowledged", KIND_COUNT, 0, TCP,
     socket_unacked},
    {"lost", "LOST", "Segments that count as lost now", KIND_COUNT, 0, TCP, socket_lost},
    {"backoff", "BACKOFF", "Doublings of the retransmission timeout", KIND_COUNT, 0, TCP,
     socket_backoff},
    {"bytes_sent", "SENT", "Payload sent, with what was sent again", KIND_BYTES, COUNTER, TCP,
     socket_bytes_sent},
    {"bytes_acked", "ACKED", "Bytes acknowledged by the peer", KIND_BYTES, COUNTER, TCP,
     socket_bytes_acked},
    {"bytes_received", "RECEIVED", "Payload received", KIND_BYTES, COUNTER, TCP,
     socket_bytes_received},
    {"bytes_retrans", "RESENT", "Payload sent again", KIND_BYTES, COUNTER, TCP,
     socket_bytes_retrans},
    {"segs_out", "SEGS-OUT", "Segments sent", KIND_COUNT, COUNTER, TCP, socket_segs_out},
    {"segs_in", "SEGS-IN", "Segments received", KIND_COUNT, COUNTER, TCP, socket_segs_in},
    {"rx_bytes", "RX",
     "Payload received since the connection began; not of TCP, or listening: since it is counted",
     KIND_BYTES, COUNTER, TCP | NEED_FLOWS, socket_rx_bytes},
    {"tx_bytes", "TX",
     "Payload sent since the connection began, without what was sent again; not of TCP, or "
     "listening: since it is counted",
     KIND_BYTES, COUNTER, TCP | NEED_FLOWS, socket_tx_bytes},
    {"rx_rate", "RX/S", "Payload received a second since the reading before (--watch, -d)",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, TRAFFIC, socket_rx_rate},
    {"tx_rate", "TX/S", "Payload sent a second since the reading before (--watch, -d)",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, TRAFFIC, socket_tx_rate},
    {"rx_since", "RX-SINCE", "Payload received since it is counted (--watch, -d)", KIND_BYTES,
     COUNTER, TRAFFIC, socket_rx_since},
    {"tx_since", "TX-SINCE", "Payload sent since it is counted (--watch, -d)", KIND_BYTES, COUNTER,
     TRAFFIC, socket_tx_since},
    {"notsent_bytes", "NOTSENT", "Bytes in the send queue that were never sent", KIND_BYTES, 0, TCP,
     socket_notsent},
    {"snd_wnd", "SND-WND", "Window that the peer offers", KIND_BYTES, 0, TCP, socket_snd_wnd},
    {"rcv_ssthresh", "RCV-SSTHRESH", "Limit of the window offered to the peer", KIND_BYTES, 0, TCP,
     socket_rcv_ssthresh},
    {"rcv_wnd", "RCV-WND", "Window offered to the peer", KIND_BYTES, 0, TCP, socket_rcv_wnd},
    {"limited", "LIMITED",
     "What kept the sender waiting: the peer's window (rwnd) or the send buffer", KIND_TEXT, 0, TCP,
     socket_limited},
    {"last_send_ms", "LAST-SEND", "Since the last payload was sent", KIND_MILLISECONDS, 0, TCP,
     socket_last_send},
    {"last_recv_ms", "LAST-RECV", "Since the last payload was received", KIND_MILLISECONDS, 0, TCP,
     socket_last_recv},
    {"last_ack_ms", "LAST-ACK", "Since the last acknowledgement was received", KIND_MILLISECONDS, 0,
     TCP, socket_last_ack},
    {"pacing_rate", "PACING", "Pacing rate", KIND_BYTES_PER_SECOND, 0, TCP, socket_pacing_rate},
    {"delivery_rate", "DELIVERY", "Most recent delivery rate", KIND_BYTES_PER_SECOND, 0, TCP,
     socket_delivery_rate},
    {"cc", "CC", "Congestion control", KIND_TEXT, 0, TCP | NEED_EXACT_DETAILS, socket_cc},
    {"ulp", "ULP", "Upper layer protocol on the connection: tls, mptcp", KIND_TEXT, 0, TCP,
     socket_ulp},
    {"mark", "MARK", "SO_MARK; only told to CAP_NET_ADMIN", KIND_HEX, 0, NEED_EXACT_DETAILS,
     socket_mark},
    {"tos", "TOS", "IP_TOS", KIND_HEX, 0, NEED_IP_OPTIONS, socket_tos},
    {"tclass", "TCLASS", "IPV6_TCLASS", KIND_HEX, 0, NEED_IP_OPTIONS, socket_tclass},
    {"class_id", "CLASS-ID", "Class of net_cls, else SO_PRIORITY", KIND_HEX, 0, NEED_IP_OPTIONS,
     socket_class_id},
    {"v6only", "V6ONLY", "IPV6_V6ONLY", KIND_BOOL, 0, NEED_EXACT_DETAILS, socket_v6only},
    {"shutdown", "SHUTDOWN", "Halves of the connection that are shut down", KIND_NAME, 0,
     NEED_EXACT_DETAILS, socket_shutdown},
    {"skmem_bytes", "SKMEM", "Kernel memory of the socket's queues", KIND_BYTES, 0, NEED_MEMORY,
     socket_skmem},
    {"rcvbuf_bytes", "RCVBUF", "Limit of the receive buffer", KIND_BYTES, 0, NEED_MEMORY,
     socket_rcvbuf},
    {"sndbuf_bytes", "SNDBUF", "Limit of the send buffer", KIND_BYTES, 0, NEED_MEMORY,
     socket_sndbuf},
    {"drops", "DROPS", "Packets thrown away for want of receive buffer", KIND_COUNT, COUNTER,
     NEED_MEMORY, socket_drops},
    {"peer_inode", "PEER-INODE", "Inode of the unix socket at the other end", KIND_ID, 0, 0,
     socket_peer_inode},
    {"peer_path", "PEER-PATH", "Name of the unix socket at the other end", KIND_TEXT, 0,
     NEED_UNIX_PEER, socket_peer_path},
    {"waiting_inode", "WAITING",
     "Inode of the first connection that waits to be accepted by a unix socket", KIND_ID, 0,
     NEED_UNIX_PEER, socket_waiting_inode},
    {"kernel_address", "ADDRESS",
     "Address of the kernel's unix socket, hashed as /proc/net/unix shows it", KIND_HEX, 0,
     NEED_REFERENCES, socket_kernel_address},
    {"references", "REFS", "How many hold the kernel's unix socket", KIND_COUNT, 0, NEED_REFERENCES,
     socket_references},
    {"nat_peer_addr", "NAT-PEER", "Address of the peer behind NAT, where the connection is tracked",
     KIND_ADDRESS, 0, NAT, socket_nat_peer_addr},
    {"nat_peer_port", "NAT-PPORT", "Port of the peer behind NAT", KIND_PORT, 0, NAT,
     socket_nat_peer_port},
    {"tracked", "TRACKED", "Whether the connection is tracked (nwho nat)", KIND_BOOL, 0, NAT,
     socket_tracked},
    {"tracked_s", "FORGOTTEN", "Time until its entry is forgotten, if no packet comes",
     KIND_SECONDS, 0, NAT, socket_tracked_left},
    {"protocol", "PROTOCOL", "Number: IP protocol (raw), ETH_P_* (packet), family (netlink)",
     KIND_ID, 0, 0, socket_protocol},
};

static uint32_t row_netns(const struct view *view, uint32_t row)
{
    return view_socket(view, row)->netns;
}

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->sockets_count;
}

/* By protocol, listening ones first, then by port: the same order whichever source brought them. */
static uint64_t order(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    uint32_t last =
        address_is_inet(socket->family) && socket->peer_port ? socket->peer_port : socket->inode;

    return (uint64_t)socket->proto << 56 | (uint64_t)(socket->state != STATE_LISTENING) << 55 |
           (uint64_t)socket->local_port << 32 | last;
}

/* Of what has neither cookie nor inode, as time-wait may: its two ends. */
static uint64_t hash_ends(const struct socket *socket)
{
    uint32_t ports = (uint32_t)socket->local_port << 16 | socket->peer_port;
    uint64_t hash = hash_number(HASH_INIT, (uint64_t)socket->netns << 32 | ports);

    hash = hash_bytes(hash, socket->local.bytes, sizeof(socket->local.bytes));
    hash = hash_bytes(hash, socket->peer.bytes, sizeof(socket->peer.bytes));
    return hash ^ socket->proto;
}

static uint64_t identity(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    if (socket->cookie)
        return socket->cookie;
    return (uint64_t)1 << 63 | (socket->inode ? socket->inode : hash_ends(socket));
}

static void prefetch(const struct view *view, uint32_t row)
{
    const char *socket = (const char *)view_socket(view, row);

    __builtin_prefetch(socket);
    __builtin_prefetch(socket + sizeof(struct socket) - 1);
}

const struct table table_sockets = {
    .owners = &table_owners,
    .name = "sockets",
    .help = "Sockets with their owners",
    .needs = NEED_SOCKETS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
    .netns = row_netns,
    .prefetch = prefetch,
    .order = order,
    .identity = identity,
};
