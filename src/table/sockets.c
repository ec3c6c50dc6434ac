/* SPDX-License-Identifier: MIT */
/* The table of sockets: one row a socket. */
#include "base/buf.h"
#include "derive/address.h"
#include "derive/join.h"
#include "derive/rates.h"
#include "table/cells.h"
#include "table/socket_text.h"

#include <sys/socket.h>

static const struct socket *get_socket(const struct view *view, uint32_t row)
{
    return &view->snapshot->sockets[row];
}

static bool is_inet(const struct socket *socket)
{
    return socket->family == AF_INET || socket->family == AF_INET6;
}

/* The main owner is the holder with the lowest pid: for a service usually the parent of its
 * workers. */
static const struct holder *main_holder(const struct view *view, uint32_t row)
{
    return view->join->sockets[row].holder_count ? join_holder(view->snapshot, view->join, row, 0)
                                                 : NULL;
}

/* --- what it is --- */

static struct value get_proto(const struct view *view, uint32_t row)
{
    return value_name(socket_proto_name(get_socket(view, row)->proto));
}

static struct value get_family(const struct view *view, uint32_t row)
{
    return value_name(socket_family_name(get_socket(view, row)->family));
}

static struct value get_type(const struct view *view, uint32_t row)
{
    uint8_t type = get_socket(view, row)->type;

    return type ? value_name(socket_type_name(type)) : value_none();
}

static struct value get_state(const struct view *view, uint32_t row)
{
    uint8_t state = get_socket(view, row)->state;

    return state ? value_name(socket_state_name(state)) : value_none();
}

/* --- queues --- */

static struct value get_recv_q(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_QUEUES, socket->recv_q);
}

static struct value get_send_q(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);
    /* /proc/net/tcp has 0 in the place of a listener's limit. */
    bool known = socket->has & SOCKET_HAS_QUEUES &&
                 (socket->state != STATE_LISTENING || socket->has & SOCKET_HAS_BACKLOG);

    return cell_number(known, socket->send_q);
}

static struct value get_accept_queue(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_BACKLOG, socket->recv_q);
}

static struct value get_backlog(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_BACKLOG, socket->send_q);
}

/* "3/128", with "!" when it is full: the kernel refuses at more than the limit, so limit + 1 is the
 * most there can be. */
static struct value get_accept(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    if (!(socket->has & SOCKET_HAS_BACKLOG))
        return value_none();
    buf_reset(view->scratch);
    buf_uint(view->scratch, socket->recv_q);
    buf_byte(view->scratch, '/');
    buf_uint(view->scratch, socket->send_q);
    if (socket->recv_q > socket->send_q)
        buf_byte(view->scratch, '!');
    return cell_scratch(view, 0);
}

static struct value get_syn_queue(const struct view *view, uint32_t row)
{
    bool known = get_socket(view, row)->state == STATE_LISTENING && is_inet(get_socket(view, row));

    return cell_number(known, view->join->sockets[row].syn_queue);
}

/* --- both ends --- */

static struct value get_address(const struct socket *socket, const union address *address)
{
    if (!is_inet(socket))
        return value_none();
    return (struct value){.type = VALUE_ADDRESS, .address = {address->bytes, socket->family}};
}

static struct value get_local_addr(const struct view *view, uint32_t row)
{
    return get_address(get_socket(view, row), &get_socket(view, row)->local);
}

/* An unconnected socket has no peer; the wildcard in its place is no address. */
static struct value get_peer_addr(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    if (!socket->peer_port && address_is_any(socket->family, &socket->peer))
        return value_none();
    return get_address(socket, &socket->peer);
}

static struct value get_local_port(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(is_inet(socket) && socket->local_port, socket->local_port);
}

static struct value get_peer_port(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(is_inet(socket) && socket->peer_port, socket->peer_port);
}

static struct value get_path(const struct view *view, uint32_t row)
{
    return get_socket(view, row)->family == AF_UNIX && get_socket(view, row)->path
               ? socket_local_text(view, row)
               : value_none();
}

static struct value get_peer_inode(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->peer_inode != 0, socket->peer_inode);
}

static struct value get_protocol(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);
    bool known = socket->proto == PROTO_RAW || socket->proto == PROTO_ICMP ||
                 socket->proto == PROTO_PACKET || socket->proto == PROTO_NETLINK;

    return cell_number(known, socket->protocol);
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_socket(view, row)->netns);
}

static struct value get_netns_inode(const struct view *view, uint32_t row)
{
    uint32_t netns = get_socket(view, row)->netns;

    return netns < view->snapshot->netns_count ? value_uint(view->snapshot->netns[netns].inode)
                                               : value_none();
}

static struct value get_direction(const struct view *view, uint32_t row)
{
    uint8_t direction = view->join->sockets[row].direction;

    return direction ? value_name(socket_direction_name(direction)) : value_none();
}

/* Of the peer; of the own address where there is no peer: then it tells who can reach the socket.
 */
static struct value get_scope(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);
    enum address_scope scope = address_scope(socket->family, &socket->peer);

    if (scope == SCOPE_ANY)
        scope = address_scope(socket->family, &socket->local);
    return scope ? value_name(scope == SCOPE_ANY ? "public" : address_scope_name(scope))
                 : value_none();
}

/* --- identity --- */

static struct value get_inode(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->inode != 0, socket->inode);
}

static struct value get_cookie(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_COOKIE, socket->cookie);
}

static struct value get_uid(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_UID, socket->uid);
}

static struct value get_user(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_user(view, socket->has & SOCKET_HAS_UID, socket->uid);
}

static struct value get_mark(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_MARK, socket->mark);
}

static struct value get_v6only(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return socket->has & SOCKET_HAS_V6ONLY && socket->family == AF_INET6
               ? value_bool(socket->flags & SOCKET_V6ONLY)
               : value_none();
}

static struct value get_shutdown(const struct view *view, uint32_t row)
{
    static const char *const words[] = {"none", "receive", "send", "both"};
    const struct socket *socket = get_socket(view, row);
    unsigned int which = (socket->flags & SOCKET_SHUT_RECEIVE ? 1u : 0) |
                         (socket->flags & SOCKET_SHUT_SEND ? 2u : 0);

    return socket->has & SOCKET_HAS_SHUTDOWN ? value_name(words[which]) : value_none();
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

    return cell_number(holder, holder ? (uint64_t)holder->fd : 0);
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
    const struct socket *socket = get_socket(view, row);
    const struct holder *holder = main_holder(view, row);

    for (uint32_t i = 0; socket->has & SOCKET_HAS_CGROUP && i < view->snapshot->cgroups_count; i++)
        if (view->snapshot->cgroups[i].id == socket->cgroup_id)
            return cell_string(view, view->snapshot->cgroups[i].path);
    return holder ? process_cgroup(view, holder->process) : value_none();
}

/* --- timer, age --- */

static struct value get_timer(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return socket->has & SOCKET_HAS_TIMER ? value_name(socket_timer_name(socket->timer))
                                          : value_none();
}

static struct value get_timer_ms(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_TIMER && socket->timer, socket->timer_ms);
}

/* The kernel keeps no time of birth; only a time-wait socket tells, by its timer of 60 s
 * (TCP_TIMEWAIT_LEN), for how long it has been in its state. */
static struct value get_age(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);
    bool known = socket->state == STATE_TIME_WAIT && socket->timer == TIMER_TIMEWAIT &&
                 socket->timer_ms <= 60000;

    return cell_number(known, (60000 - socket->timer_ms) / 1000);
}

static struct value get_drops(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_DROPS, socket->drops);
}

/* --- tcp_info --- */

static const struct tcp_details *get_tcp(const struct view *view, uint32_t row)
{
    uint32_t index = get_socket(view, row)->tcp;

    return index ? &view->snapshot->tcp_infos[index - 1] : NULL;
}

/* A number of struct tcp_info; `end` is enum tcp_info_end. */
#define TCP_COLUMN(name, field, end)                                                               \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        const struct tcp_details *tcp = get_tcp(view, row);                                        \
        return tcp && tcp->known >= (end) ? value_uint(tcp->field) : value_none();                 \
    }

TCP_COLUMN(retrans, total_retrans, TCP_INFO_FIRST)
TCP_COLUMN(rtt, rtt_us, TCP_INFO_FIRST)
TCP_COLUMN(rttvar, rttvar_us, TCP_INFO_FIRST)
TCP_COLUMN(min_rtt, min_rtt_us, TCP_INFO_MIN_RTT)
TCP_COLUMN(rto, rto_us, TCP_INFO_FIRST)
TCP_COLUMN(cwnd, cwnd, TCP_INFO_FIRST)
TCP_COLUMN(ssthresh, ssthresh, TCP_INFO_FIRST)
TCP_COLUMN(mss, mss, TCP_INFO_FIRST)
TCP_COLUMN(pmtu, pmtu, TCP_INFO_FIRST)
TCP_COLUMN(unacked, unacked, TCP_INFO_FIRST)
TCP_COLUMN(lost, lost, TCP_INFO_FIRST)
TCP_COLUMN(backoff, backoff, TCP_INFO_FIRST)
TCP_COLUMN(bytes_sent, bytes_sent, TCP_INFO_BYTES_SENT)
TCP_COLUMN(bytes_acked, bytes_acked, TCP_INFO_BYTES_ACKED)
TCP_COLUMN(bytes_received, bytes_received, TCP_INFO_BYTES_RECEIVED)
TCP_COLUMN(bytes_retrans, bytes_retrans, TCP_INFO_BYTES_RETRANS)
TCP_COLUMN(segs_out, segs_out, TCP_INFO_SEGS_OUT)
TCP_COLUMN(segs_in, segs_in, TCP_INFO_SEGS_IN)
TCP_COLUMN(notsent, notsent_bytes, TCP_INFO_NOTSENT_BYTES)
TCP_COLUMN(snd_wnd, snd_wnd, TCP_INFO_SND_WND)
TCP_COLUMN(rcv_wnd, rcv_wnd, TCP_INFO_RCV_WND)
TCP_COLUMN(last_send, last_data_sent_ms, TCP_INFO_FIRST)
TCP_COLUMN(last_recv, last_data_recv_ms, TCP_INFO_FIRST)
TCP_COLUMN(last_ack, last_ack_recv_ms, TCP_INFO_FIRST)
TCP_COLUMN(pacing_rate, pacing_rate, TCP_INFO_PACING_RATE)
TCP_COLUMN(delivery_rate, delivery_rate, TCP_INFO_DELIVERY_RATE)

static struct value get_rx_bytes(const struct view *view, uint32_t row)
{
    uint64_t bytes;

    return tcp_payload_received(get_tcp(view, row), &bytes) ? value_uint(bytes) : value_none();
}

static struct value get_tx_bytes(const struct view *view, uint32_t row)
{
    uint64_t bytes;

    return tcp_payload_sent(get_tcp(view, row), &bytes) ? value_uint(bytes) : value_none();
}

static const struct socket_rate *get_rate(const struct view *view, uint32_t row)
{
    return view->rates && view->rates->sockets && view->rates->sockets[row].known
               ? &view->rates->sockets[row]
               : NULL;
}

static struct value get_rx_rate(const struct view *view, uint32_t row)
{
    const struct socket_rate *rate = get_rate(view, row);

    return rate ? value_uint(rate->rx) : value_none();
}

static struct value get_tx_rate(const struct view *view, uint32_t row)
{
    const struct socket_rate *rate = get_rate(view, row);

    return rate ? value_uint(rate->tx) : value_none();
}

static struct value get_cc(const struct view *view, uint32_t row)
{
    const struct tcp_details *tcp = get_tcp(view, row);

    return tcp ? cell_string(view, tcp->congestion) : value_none();
}

static struct value get_ulp(const struct view *view, uint32_t row)
{
    const struct tcp_details *tcp = get_tcp(view, row);

    return tcp ? cell_string(view, tcp->ulp) : value_none();
}

/* --- memory --- */

static const struct socket_memory *get_memory(const struct view *view, uint32_t row)
{
    uint32_t index = get_socket(view, row)->memory;

    return index ? &view->snapshot->memories[index - 1] : NULL;
}

static struct value get_skmem(const struct view *view, uint32_t row)
{
    const struct socket_memory *memory = get_memory(view, row);

    return cell_number(
        memory, memory ? (uint64_t)memory->receive + memory->write_queue + memory->forward : 0);
}

static struct value get_rcvbuf(const struct view *view, uint32_t row)
{
    const struct socket_memory *memory = get_memory(view, row);

    return cell_number(memory, memory ? memory->receive_limit : 0);
}

static struct value get_sndbuf(const struct view *view, uint32_t row)
{
    const struct socket_memory *memory = get_memory(view, row);

    return cell_number(memory, memory ? memory->send_limit : 0);
}

#define TEXT COLUMN_TEXT
#define MACHINE COLUMN_MACHINE
#define COMPOSED COLUMN_COMPOSED
#define COUNTER COLUMN_COUNTER
#define OWNERS NEED_OWNERS
#define TCP NEED_TCP_INFO

/* name, title, help, kind, flags, needs, getter */
static const struct column columns[] = {
    {"proto", "PROTO", "Protocol", KIND_NAME, TEXT | MACHINE | COLUMN_KEY, 0, get_proto},
    {"family", "FAMILY", "Address family", KIND_NAME, MACHINE, 0, get_family},
    {"type", "TYPE", "Socket type", KIND_NAME, 0, 0, get_type},
    {"state", "STATE", "State, in the words of ss(8)", KIND_NAME, TEXT | MACHINE, 0, get_state},
    {"recv_q", "RECV-Q", "Bytes not read yet; listening: connections not accepted yet", KIND_COUNT,
     TEXT | MACHINE, 0, get_recv_q},
    {"send_q", "SEND-Q", "Bytes not acknowledged yet; listening: limit of the accept queue",
     KIND_COUNT, TEXT | MACHINE, 0, get_send_q},
    {"local", "LOCAL", "Own address and port, or path", KIND_ENDPOINT, TEXT | COMPOSED,
     NEED_INTERFACES, socket_local_text},
    {"peer", "PEER", "Address and port of the other end, or its path", KIND_ENDPOINT,
     TEXT | COMPOSED, NEED_UNIX_PEER, socket_peer_text},
    {"local_addr", "LOCAL-ADDR", "Own address", KIND_ADDRESS, MACHINE, 0, get_local_addr},
    {"local_port", "LPORT", "Own port", KIND_PORT, MACHINE, 0, get_local_port},
    {"peer_addr", "PEER-ADDR", "Address of the other end", KIND_ADDRESS, MACHINE, 0, get_peer_addr},
    {"peer_port", "PPORT", "Port of the other end", KIND_PORT, MACHINE, 0, get_peer_port},
    {"iface", "IFACE", "Interface that the socket is bound to", KIND_TEXT, MACHINE, NEED_INTERFACES,
     socket_iface},
    {"path", "PATH", "Name of a unix socket; an abstract one begins with @", KIND_TEXT, MACHINE, 0,
     get_path},
    {"netns", "NETNS", "Network namespace: its name, init, or its inode", KIND_TEXT,
     MACHINE | COLUMN_KEY, 0, get_netns},
    {"netns_inode", "NETNS-INO", "Inode of the network namespace", KIND_ID, 0, 0, get_netns_inode},
    {"inode", "INODE", "Inode of the socket", KIND_ID, MACHINE, 0, get_inode},
    {"cookie", "COOKIE", "Cookie of the socket (SO_COOKIE), unique while the machine is up",
     KIND_ID, MACHINE | COLUMN_KEY, 0, get_cookie},
    {"uid", "UID", "User id of who made the socket", KIND_ID, MACHINE, 0, get_uid},
    {"user", "USER", "User who made the socket", KIND_TEXT, MACHINE, 0, get_user},
    {"owner", "OWNER", "Processes that hold the socket, or why there is none", KIND_TEXT,
     TEXT | COMPOSED, OWNERS | NEED_LISTENERS, socket_owner_text},
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
    {"cgroup", "CGROUP", "Control group of the socket, else of its main owner", KIND_TEXT, 0,
     OWNERS | NEED_CGROUP | NEED_SOCKET_CGROUP, get_cgroup},
    {"unit", "UNIT", "systemd unit of the main owner", KIND_TEXT, 0, OWNERS | NEED_CGROUP,
     get_owner_unit},
    {"container", "CONTAINER", "Container of the main owner", KIND_TEXT, 0, OWNERS | NEED_CGROUP,
     get_owner_container},
    {"owners", "OWNERS", "All holders: pid, process, fd, user, threads", KIND_LIST, MACHINE,
     OWNERS | NEED_USER | NEED_PROCESS_STAT, get_owners},
    {"owner_note", "OWNER-NOTE", "Why there is no owner", KIND_TEXT, MACHINE,
     OWNERS | NEED_LISTENERS, socket_owner_note},
    {"peer_owner", "PEER-OWNER", "Owner of the unix socket at the other end", KIND_TEXT, COMPOSED,
     OWNERS | NEED_UNIX_PEER, socket_peer_owner_text},
    {"direction", "DIR", "listen, in, out, or local (both ends on this machine)", KIND_NAME, 0,
     NEED_LISTENERS, get_direction},
    {"scope", "SCOPE",
     "Of the peer (listening: of the own address): loopback private public multicast", KIND_NAME, 0,
     0, get_scope},
    {"serves", "SERVES", "Address families that a bound socket serves: v4, v6, v4+v6", KIND_NAME, 0,
     NEED_EXACT_DETAILS, socket_serves},
    {"accept", "ACCEPT", "Accept queue and its limit; ! when it is full", KIND_TEXT, COMPOSED, 0,
     get_accept},
    {"accept_queue", "ACCEPT-Q", "Connections that wait to be accepted", KIND_COUNT, 0, 0,
     get_accept_queue},
    {"backlog", "BACKLOG", "Limit of the accept queue", KIND_COUNT, 0, 0, get_backlog},
    {"syn_queue", "SYN-Q", "Half-open connections (syn-recv) of the listener", KIND_COUNT, 0,
     NEED_SYN_QUEUE, get_syn_queue},
    {"timer", "TIMER", "Kernel timer: off on keepalive timewait persist delack", KIND_NAME, 0, 0,
     get_timer},
    {"timer_ms", "EXPIRES", "Time until the timer fires", KIND_MILLISECONDS, 0, 0, get_timer_ms},
    {"age_s", "AGE", "Time in the state, where the kernel tells it (time-wait)", KIND_SECONDS, 0, 0,
     get_age},
    {"retrans", "RETRANS", "Segments sent again since the connection began", KIND_COUNT, COUNTER,
     TCP, get_retrans},
    {"rtt_us", "RTT", "Smoothed round-trip time", KIND_MICROSECONDS, 0, TCP, get_rtt},
    {"rttvar_us", "RTTVAR", "Variation of the round-trip time", KIND_MICROSECONDS, 0, TCP,
     get_rttvar},
    {"min_rtt_us", "MINRTT", "Smallest round-trip time seen", KIND_MICROSECONDS, 0, TCP,
     get_min_rtt},
    {"rto_us", "RTO", "Retransmission timeout", KIND_MICROSECONDS, 0, TCP, get_rto},
    {"cwnd", "CWND", "Congestion window in segments", KIND_COUNT, 0, TCP, get_cwnd},
    {"ssthresh", "SSTHRESH", "Slow start threshold in segments", KIND_COUNT, 0, TCP, get_ssthresh},
    {"mss", "MSS", "Largest segment that is sent", KIND_COUNT, 0, TCP, get_mss},
    {"pmtu", "PMTU", "Path MTU as the socket knows it", KIND_COUNT, 0, TCP, get_pmtu},
    {"unacked", "UNACKED", "Segments sent and not acknowledged", KIND_COUNT, 0, TCP, get_unacked},
    {"lost", "LOST", "Segments that count as lost now", KIND_COUNT, 0, TCP, get_lost},
    {"backoff", "BACKOFF", "Doublings of the retransmission timeout", KIND_COUNT, 0, TCP,
     get_backoff},
    {"bytes_sent", "SENT", "Payload sent, with what was sent again", KIND_BYTES, COUNTER, TCP,
     get_bytes_sent},
    {"bytes_acked", "ACKED", "Bytes acknowledged by the peer", KIND_BYTES, COUNTER, TCP,
     get_bytes_acked},
    {"bytes_received", "RECEIVED", "Payload received", KIND_BYTES, COUNTER, TCP,
     get_bytes_received},
    {"bytes_retrans", "RESENT", "Payload sent again", KIND_BYTES, COUNTER, TCP, get_bytes_retrans},
    {"segs_out", "SEGS-OUT", "Segments sent", KIND_COUNT, COUNTER, TCP, get_segs_out},
    {"segs_in", "SEGS-IN", "Segments received", KIND_COUNT, COUNTER, TCP, get_segs_in},
    {"rx_bytes", "RX", "Payload received since the connection began", KIND_BYTES, COUNTER, TCP,
     get_rx_bytes},
    {"tx_bytes", "TX", "Payload sent since the connection began, without what was sent again",
     KIND_BYTES, COUNTER, TCP, get_tx_bytes},
    {"rx_rate", "RX/S", "Payload received a second since the refresh before (--watch)",
     KIND_BYTES_PER_SECOND, 0, TCP, get_rx_rate},
    {"tx_rate", "TX/S", "Payload sent a second since the refresh before (--watch)",
     KIND_BYTES_PER_SECOND, 0, TCP, get_tx_rate},
    {"notsent_bytes", "NOTSENT", "Bytes in the send queue that were never sent", KIND_BYTES, 0, TCP,
     get_notsent},
    {"snd_wnd", "SND-WND", "Window that the peer offers", KIND_BYTES, 0, TCP, get_snd_wnd},
    {"rcv_wnd", "RCV-WND", "Window offered to the peer", KIND_BYTES, 0, TCP, get_rcv_wnd},
    {"limited", "LIMITED",
     "What kept the sender waiting: the peer's window (rwnd) or the send buffer", KIND_TEXT, 0, TCP,
     socket_limited},
    {"last_send_ms", "LAST-SEND", "Since the last payload was sent", KIND_MILLISECONDS, 0, TCP,
     get_last_send},
    {"last_recv_ms", "LAST-RECV", "Since the last payload was received", KIND_MILLISECONDS, 0, TCP,
     get_last_recv},
    {"last_ack_ms", "LAST-ACK", "Since the last acknowledgement was received", KIND_MILLISECONDS, 0,
     TCP, get_last_ack},
    {"pacing_rate", "PACING", "Pacing rate", KIND_BYTES_PER_SECOND, 0, TCP, get_pacing_rate},
    {"delivery_rate", "DELIVERY", "Most recent delivery rate", KIND_BYTES_PER_SECOND, 0, TCP,
     get_delivery_rate},
    {"cc", "CC", "Congestion control", KIND_TEXT, 0, TCP | NEED_EXACT_DETAILS, get_cc},
    {"ulp", "ULP", "Upper layer protocol on the connection: tls, mptcp", KIND_TEXT, 0, TCP,
     get_ulp},
    {"mark", "MARK", "SO_MARK; only told to CAP_NET_ADMIN", KIND_HEX, 0, NEED_EXACT_DETAILS,
     get_mark},
    {"v6only", "V6ONLY", "IPV6_V6ONLY", KIND_BOOL, 0, NEED_EXACT_DETAILS, get_v6only},
    {"shutdown", "SHUTDOWN", "Halves of the connection that are shut down", KIND_NAME, 0,
     NEED_EXACT_DETAILS, get_shutdown},
    {"skmem_bytes", "SKMEM", "Kernel memory of the socket's queues", KIND_BYTES, 0, NEED_MEMORY,
     get_skmem},
    {"rcvbuf_bytes", "RCVBUF", "Limit of the receive buffer", KIND_BYTES, 0, NEED_MEMORY,
     get_rcvbuf},
    {"sndbuf_bytes", "SNDBUF", "Limit of the send buffer", KIND_BYTES, 0, NEED_MEMORY, get_sndbuf},
    {"drops", "DROPS", "Packets thrown away for want of receive buffer", KIND_COUNT, COUNTER,
     NEED_MEMORY, get_drops},
    {"peer_inode", "PEER-INODE", "Inode of the unix socket at the other end", KIND_ID, 0, 0,
     get_peer_inode},
    {"protocol", "PROTOCOL", "Number: IP protocol (raw), ETH_P_* (packet), family (netlink)",
     KIND_ID, 0, 0, get_protocol},
};

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->sockets_count;
}

/* By protocol, listening ones first, then by port: the same order whichever source brought them. */
static uint64_t order(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);
    uint32_t last = is_inet(socket) && socket->peer_port ? socket->peer_port : socket->inode;

    return (uint64_t)socket->proto << 56 | (uint64_t)(socket->state != STATE_LISTENING) << 55 |
           (uint64_t)socket->local_port << 32 | last;
}

/* Of what has neither cookie nor inode, as time-wait may: its two ends. */
static uint64_t hash_ends(const struct socket *socket)
{
    uint64_t hash =
        (uint64_t)socket->netns << 32 | (uint32_t)socket->local_port << 16 | socket->peer_port;

    for (size_t i = 0; i < ARRAY_SIZE(socket->local.bytes); i++) {
        hash = (hash ^ socket->local.bytes[i]) * UINT64_C(0x100000001b3);
        hash = (hash ^ socket->peer.bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash ^ socket->proto;
}

static uint64_t identity(const struct view *view, uint32_t row)
{
    const struct socket *socket = get_socket(view, row);

    if (socket->cookie)
        return socket->cookie;
    return (uint64_t)1 << 63 | (socket->inode ? socket->inode : hash_ends(socket));
}

const struct table table_sockets = {
    .name = "sockets",
    .help = "Sockets with their owners",
    .needs = NEED_SOCKETS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
    .order = order,
    .identity = identity,
};
