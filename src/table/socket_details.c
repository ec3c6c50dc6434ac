/* SPDX-License-Identifier: MIT */
/* Columns of sockets: queues, timers, struct tcp_info, rates, memory. */
#include "table/socket_details.h"

#include "base/buf.h"
#include "derive/address.h"
#include "derive/health/ills.h"
#include "derive/join.h"
#include "derive/rates.h"
#include "table/cells.h"

/* --- queues --- */

struct value socket_recv_q(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_QUEUES, socket->recv_q);
}

struct value socket_send_q(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    /* /proc/net/tcp has 0 in the place of a listener's limit. */
    bool known = socket->has & SOCKET_HAS_QUEUES &&
                 (socket->state != STATE_LISTENING || socket->has & SOCKET_HAS_BACKLOG);

    return cell_number(known, socket->send_q);
}

struct value socket_accept_queue(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_BACKLOG, socket->recv_q);
}

struct value socket_backlog(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_BACKLOG, socket->send_q);
}

/* "3/128", with "!" when it is full: the kernel refuses at more than the limit, so limit + 1 is the
 * most there can be. */
struct value socket_accept(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    if (!(socket->has & SOCKET_HAS_BACKLOG))
        return value_none();
    buf_reset(view->scratch);
    buf_uint(view->scratch, socket->recv_q);
    buf_byte(view->scratch, '/');
    buf_uint(view->scratch, socket->send_q);
    if (ill_accept_queue_full(socket))
        buf_byte(view->scratch, '!');
    return cell_scratch(view, 0);
}

struct value socket_syn_queue(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    bool known = socket->state == STATE_LISTENING && address_is_inet(socket->family);

    return cell_number(known, view->join->sockets[row].syn_queue);
}

/* --- timer, age --- */

struct value socket_timer(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return socket->has & SOCKET_HAS_TIMER ? value_name(socket_timer_name(socket->timer))
                                          : value_none();
}

struct value socket_timer_ms(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_TIMER && socket->timer, socket->timer_ms);
}

struct value socket_timer_tries(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_TIMER && socket->timer, socket->retransmits);
}

/* The kernel keeps no time of birth; only a time-wait socket tells, by its timer of 60 s
 * (TCP_TIMEWAIT_LEN), for how long it has been in its state. */
struct value socket_age(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);
    bool known = socket->state == STATE_TIME_WAIT && socket->timer == TIMER_TIMEWAIT &&
                 socket->timer_ms <= 60000;

    return cell_number(known, (60000 - socket->timer_ms) / 1000);
}

struct value socket_drops(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_DROPS, socket->drops);
}

/* --- options --- */

struct value socket_tos(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_TOS, socket->inet_options >> INET_TOS_SHIFT & 0xff);
}

struct value socket_tclass(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_TCLASS,
                       socket->inet_options >> INET_TCLASS_SHIFT & 0xff);
}

struct value socket_class_id(const struct view *view, uint32_t row)
{
    const struct socket *socket = view_socket(view, row);

    return cell_number(socket->has & SOCKET_HAS_CLASS_ID, socket->class_id);
}

/* --- tcp_info --- */

static const struct tcp_details *get_tcp(const struct view *view, uint32_t row)
{
    return snapshot_tcp(view->snapshot, view_socket(view, row));
}

/* A number of struct tcp_info; `end` is enum tcp_info_end. */
#define TCP_COLUMN(name, field, end)                                                               \
    struct value socket_##name(const struct view *view, uint32_t row)                              \
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
TCP_COLUMN(rcv_ssthresh, rcv_ssthresh, TCP_INFO_FIRST)
TCP_COLUMN(rcv_wnd, rcv_wnd, TCP_INFO_RCV_WND)
TCP_COLUMN(last_send, last_data_sent_ms, TCP_INFO_FIRST)
TCP_COLUMN(last_recv, last_data_recv_ms, TCP_INFO_FIRST)
TCP_COLUMN(last_ack, last_ack_recv_ms, TCP_INFO_FIRST)
TCP_COLUMN(pacing_rate, pacing_rate, TCP_INFO_PACING_RATE)
TCP_COLUMN(delivery_rate, delivery_rate, TCP_INFO_DELIVERY_RATE)

/* Of listeners whose connections have no rows what these moved is counted. */
static bool is_served(const struct view *view, uint32_t row)
{
    return view->join->served && view_socket(view, row)->state == STATE_LISTENING;
}

/* What was counted of a socket while nwho ran, where it is. */
static struct cell_traffic counted(const struct view *view, uint32_t row)
{
    static const uint32_t kinds[ACCOUNTING_LEVEL_MAX] = {
        [ACCOUNTING_TCP_INFO] = PROTO_BIT(PROTO_TCP), [ACCOUNTING_BPF] = PROTO_INET_ALL};
    bool is_counted = kinds[view->snapshot->accounting] & PROTO_BIT(view_socket(view, row)->proto);
    const struct flow_sum *sum = is_served(view, row) ? &view->join->served[row]
                                                      : flow_sum_of_socket(&view->join->flows, row);

    return cell_traffic(view, sum, is_counted);
}

struct value socket_rx_since(const struct view *view, uint32_t row)
{
    return counted(view, row).rx_bytes;
}

struct value socket_tx_since(const struct view *view, uint32_t row)
{
    return counted(view, row).tx_bytes;
}

/* TCP counts from the beginning of the connection, and others do not at all. */
struct value socket_rx_bytes(const struct view *view, uint32_t row)
{
    uint64_t bytes;

    return !is_served(view, row) && tcp_payload_received(get_tcp(view, row), &bytes)
               ? value_uint(bytes)
               : counted(view, row).rx_bytes;
}

struct value socket_tx_bytes(const struct view *view, uint32_t row)
{
    uint64_t bytes;

    return !is_served(view, row) && tcp_payload_sent(get_tcp(view, row), &bytes)
               ? value_uint(bytes)
               : counted(view, row).tx_bytes;
}

static const struct socket_rate *get_rate(const struct view *view, uint32_t row)
{
    return !is_served(view, row) && view->rates && view->rates->sockets &&
                   view->rates->sockets[row].known
               ? &view->rates->sockets[row]
               : NULL;
}

struct value socket_rx_rate(const struct view *view, uint32_t row)
{
    const struct socket_rate *rate = get_rate(view, row);

    return rate ? value_uint(rate->rx) : counted(view, row).rx_rate;
}

struct value socket_tx_rate(const struct view *view, uint32_t row)
{
    const struct socket_rate *rate = get_rate(view, row);

    return rate ? value_uint(rate->tx) : counted(view, row).tx_rate;
}

struct value socket_cc(const struct view *view, uint32_t row)
{
    const struct tcp_details *tcp = get_tcp(view, row);

    return tcp ? cell_string(view, tcp->congestion) : value_none();
}

struct value socket_ulp(const struct view *view, uint32_t row)
{
    const struct tcp_details *tcp = get_tcp(view, row);

    return tcp ? cell_string(view, tcp->ulp) : value_none();
}

/* --- memory --- */

static const struct socket_memory *get_memory(const struct view *view, uint32_t row)
{
    return snapshot_memory(view->snapshot, view_socket(view, row));
}

struct value socket_skmem(const struct view *view, uint32_t row)
{
    const struct socket_memory *memory = get_memory(view, row);

    return cell_number(
        memory, memory ? (uint64_t)memory->receive + memory->write_queue + memory->forward : 0);
}

struct value socket_rcvbuf(const struct view *view, uint32_t row)
{
    const struct socket_memory *memory = get_memory(view, row);

    return cell_number(memory, memory ? memory->receive_limit : 0);
}

struct value socket_sndbuf(const struct view *view, uint32_t row)
{
    const struct socket_memory *memory = get_memory(view, row);

    return cell_number(memory, memory ? memory->send_limit : 0);
}
