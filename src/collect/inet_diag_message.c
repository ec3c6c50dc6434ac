/* SPDX-License-Identifier: MIT */
/* Decodes inet_diag messages. Attributes are copied by the shorter of what the kernel sent and what
 * we know. */
#include "collect/inet_diag_message.h"

#include "collect/diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* tcpi_rcv_wnd (since 6.2), which the installed header may not have yet. */
#define RCV_WND_OFFSET (TCP_INFO_RCV_WND - sizeof(uint32_t))

bool inet_diag_is_minisocket(const struct inet_diag_msg *message)
{
    return message->idiag_timer == TIMER_TIMEWAIT || message->idiag_state == STATE_TIME_WAIT ||
           message->idiag_state == STATE_SYN_RECV;
}

/* SCTP has two types, of which the message does not tell; DCCP has one of its own. */
static uint8_t type_of(unsigned int proto)
{
    switch (proto) {
    case PROTO_TCP:
    case PROTO_MPTCP:
        return SOCK_STREAM;
    case PROTO_RAW:
        return SOCK_RAW;
    case PROTO_SCTP:
        return 0;
    case PROTO_DCCP:
        return SOCK_DCCP;
    default:
        return SOCK_DGRAM;
    }
}

void inet_diag_fill(struct socket *socket, const struct inet_diag_msg *message)
{
    socket->family = message->idiag_family;
    socket->state = message->idiag_state < STATE_MAX ? message->idiag_state : STATE_UNKNOWN;
    socket->timer = message->idiag_timer < TIMER_MAX ? message->idiag_timer : TIMER_OFF;
    socket->timer_ms = message->idiag_expires;
    socket->retransmits = message->idiag_retrans;
    memcpy(socket->local.bytes, message->id.idiag_src, sizeof(socket->local));
    memcpy(socket->peer.bytes, message->id.idiag_dst, sizeof(socket->peer));
    socket->local_port = ntohs(message->id.idiag_sport);
    socket->peer_port = ntohs(message->id.idiag_dport);
    socket->ifindex = message->id.idiag_if;
    socket->cookie = (uint64_t)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0];
    socket->inode = message->idiag_inode;
    socket->uid = message->idiag_uid;
    socket->recv_q = message->idiag_rqueue;
    socket->send_q = message->idiag_wqueue;
    socket->has |= SOCKET_HAS_COOKIE | SOCKET_HAS_QUEUES | SOCKET_HAS_TIMER | SOCKET_HAS_INODE;
    if (inet_diag_is_minisocket(message))
        socket->flags |= SOCKET_REPLY_ONLY; /* of nobody: the kernel writes 0 as the user */
    else
        socket->has |= SOCKET_HAS_UID;
    if (socket->state == STATE_LISTENING)
        socket->has |= SOCKET_HAS_BACKLOG;
    /* The kernel finds them by a state of their own, and answers with that of an unbound socket. */
    if (socket->state == STATE_UNCONNECTED && socket->proto == PROTO_TCP)
        socket->state = STATE_BOUND_INACTIVE;
    /* raw_diag puts the IP protocol into the port */
    if (socket->proto == PROTO_RAW) {
        socket->protocol = socket->local_port;
        socket->local_port = 0;
    }
    socket->type = type_of(socket->proto);
}

static void copy_tcp_basics(struct tcp_details *tcp, const struct tcp_info *info)
{
    tcp->rtt_us = info->tcpi_rtt;
    tcp->rttvar_us = info->tcpi_rttvar;
    tcp->min_rtt_us = info->tcpi_min_rtt;
    tcp->rto_us = info->tcpi_rto;
    tcp->ato_us = info->tcpi_ato;
    tcp->cwnd = info->tcpi_snd_cwnd;
    tcp->ssthresh = info->tcpi_snd_ssthresh;
    tcp->mss = info->tcpi_snd_mss;
    tcp->rcv_mss = info->tcpi_rcv_mss;
    tcp->advmss = info->tcpi_advmss;
    tcp->pmtu = info->tcpi_pmtu;
    tcp->reordering = info->tcpi_reordering;
    tcp->unacked = info->tcpi_unacked;
    tcp->sacked = info->tcpi_sacked;
    tcp->lost = info->tcpi_lost;
    tcp->retrans_out = info->tcpi_retrans;
    tcp->total_retrans = info->tcpi_total_retrans;
    tcp->last_data_sent_ms = info->tcpi_last_data_sent;
    tcp->last_data_recv_ms = info->tcpi_last_data_recv;
    tcp->last_ack_recv_ms = info->tcpi_last_ack_recv;
    tcp->rcv_space = info->tcpi_rcv_space;
    tcp->rcv_ssthresh = info->tcpi_rcv_ssthresh;
    tcp->rcv_rtt_us = info->tcpi_rcv_rtt;
    tcp->fackets = info->tcpi_fackets;
    tcp->backoff = info->tcpi_backoff;
    tcp->options = info->tcpi_options;
    tcp->wscale_send = info->tcpi_snd_wscale;
    tcp->wscale_receive = info->tcpi_rcv_wscale;
}

static void copy_tcp_counters(struct tcp_details *tcp, const struct tcp_info *info)
{
    tcp->segs_out = info->tcpi_segs_out;
    tcp->segs_in = info->tcpi_segs_in;
    tcp->data_segs_out = info->tcpi_data_segs_out;
    tcp->data_segs_in = info->tcpi_data_segs_in;
    tcp->bytes_sent = info->tcpi_bytes_sent;
    tcp->bytes_acked = info->tcpi_bytes_acked;
    tcp->bytes_received = info->tcpi_bytes_received;
    tcp->bytes_retrans = info->tcpi_bytes_retrans;
    tcp->pacing_rate = info->tcpi_pacing_rate;
    tcp->max_pacing_rate = info->tcpi_max_pacing_rate;
    tcp->delivery_rate = info->tcpi_delivery_rate;
    tcp->app_limited = info->tcpi_delivery_rate_app_limited;
    tcp->busy_us = info->tcpi_busy_time;
    tcp->rwnd_limited_us = info->tcpi_rwnd_limited;
    tcp->sndbuf_limited_us = info->tcpi_sndbuf_limited;
    tcp->notsent_bytes = info->tcpi_notsent_bytes;
    tcp->dsack_dups = info->tcpi_dsack_dups;
    tcp->delivered = info->tcpi_delivered;
    tcp->delivered_ce = info->tcpi_delivered_ce;
    tcp->reord_seen = info->tcpi_reord_seen;
    tcp->rcv_ooopack = info->tcpi_rcv_ooopack;
    tcp->snd_wnd = info->tcpi_snd_wnd;
}

/* For a listening socket the kernel uses two fields of tcp_info for the accept queue, which the
 * message has already, and the others are as at the start: no column shows them. */
static int add_tcp_info(struct snapshot *snapshot, uint32_t index, const struct nlattr *attribute)
{
    union {
        struct tcp_info info;
        char bytes[TCP_INFO_RCV_WND];
    } sent;
    struct tcp_details *tcp;
    size_t known;

    if (!attribute || snapshot->sockets[index].tcp)
        return 0;
    known = netlink_copy(attribute, &sent, sizeof(sent));
    tcp = snapshot_add_tcp(snapshot, &snapshot->sockets[index]);
    if (!tcp)
        return -ENOMEM;
    tcp->of_listener = snapshot->sockets[index].state == STATE_LISTENING;
    tcp->known = tcp->of_listener ? 0 : (uint32_t)known;
    copy_tcp_basics(tcp, &sent.info);
    copy_tcp_counters(tcp, &sent.info);
    memcpy(&tcp->rcv_wnd, sent.bytes + RCV_WND_OFFSET, sizeof(tcp->rcv_wnd));
    return 0;
}

/* A listener has a congestion control and no tcp_info: its details are names alone, known is 0. */
struct tcp_details *inet_diag_tcp(struct snapshot *snapshot, struct socket *socket)
{
    return socket->tcp ? &snapshot->tcp_infos[socket->tcp - 1] : snapshot_add_tcp(snapshot, socket);
}

static int add_names(struct snapshot *snapshot, uint32_t index,
                     const struct nlattr *const *attributes)
{
    const struct nlattr *congestion = attributes[INET_DIAG_CONG];
    const struct nlattr *ulp = attributes[INET_DIAG_ULP_INFO];
    struct tcp_details *tcp;
    int r = 0;

    if (!congestion && !ulp)
        return 0;
    tcp = inet_diag_tcp(snapshot, &snapshot->sockets[index]);
    if (!tcp)
        return -ENOMEM;
    if (congestion && !tcp->congestion)
        r = snapshot_intern(snapshot, netlink_data(congestion),
                            strnlen(netlink_data(congestion), netlink_length(congestion)),
                            &tcp->congestion);
    if (r == 0 && ulp && !tcp->ulp)
        r = inet_diag_upper(snapshot, tcp, ulp);
    return r;
}

static void fill_flags(struct socket *socket, const struct nlattr *attribute)
{
    uint8_t flags[2];

    if (netlink_copy(attribute, flags, sizeof(flags)) < sizeof(flags))
        return;
    socket->inet_options |= INET_FLAGS_KNOWN;
    socket->inet_options |= (flags[0] | (flags[1] & 0x7fu) << 8) << INET_FLAGS_SHIFT;
}

/* They only come when they are asked for, but for the flags. */
static void fill_ip_options(struct socket *socket, const struct nlattr *const *attributes)
{
    uint8_t byte;

    socket->inet_options = 0;
    if (netlink_copy(attributes[INET_DIAG_TOS], &byte, sizeof(byte))) {
        socket->has |= SOCKET_HAS_TOS;
        socket->inet_options |= (uint32_t)byte << INET_TOS_SHIFT;
    }
    if (netlink_copy(attributes[INET_DIAG_TCLASS], &byte, sizeof(byte))) {
        socket->has |= SOCKET_HAS_TCLASS;
        socket->inet_options |= (uint32_t)byte << INET_TCLASS_SHIFT;
    }
    if (attributes[INET_DIAG_CLASS_ID] &&
        netlink_copy(attributes[INET_DIAG_CLASS_ID], &socket->class_id, sizeof(socket->class_id)))
        socket->has |= SOCKET_HAS_CLASS_ID;
    fill_flags(socket, attributes[INET_DIAG_SOCKOPT]);
}

/* The small facts that are one number each. */
static void fill_options(struct socket *socket, const struct nlattr *const *attributes)
{
    uint8_t byte;

    if (attributes[INET_DIAG_MARK] && netlink_copy(attributes[INET_DIAG_MARK], &socket->mark, 4))
        socket->has |= SOCKET_HAS_MARK;
    if (attributes[INET_DIAG_CGROUP_ID] &&
        netlink_copy(attributes[INET_DIAG_CGROUP_ID], &socket->cgroup_id, 8))
        socket->has |= SOCKET_HAS_CGROUP;
    if (netlink_copy(attributes[INET_DIAG_SKV6ONLY], &byte, sizeof(byte))) {
        socket->has |= SOCKET_HAS_V6ONLY;
        socket->flags |= byte ? SOCKET_V6ONLY : 0;
    }
    if (netlink_copy(attributes[INET_DIAG_SHUTDOWN], &byte, sizeof(byte)))
        diag_shutdown(socket, byte);
    fill_ip_options(socket, attributes);
}

int inet_diag_details(struct snapshot *snapshot, uint32_t index, const void *payload, size_t length)
{
    const size_t fixed = NLMSG_ALIGN(sizeof(struct inet_diag_msg));
    const struct nlattr *attributes[INET_DIAG_MAX + 1];
    int r;

    if (length <= fixed)
        return 0;
    netlink_attributes((const char *)payload + fixed, length - fixed, attributes,
                       ARRAY_SIZE(attributes));
    fill_options(&snapshot->sockets[index], attributes);
    if (snapshot->sockets[index].proto == PROTO_MPTCP)
        r = inet_diag_mptcp(snapshot, index, attributes[INET_DIAG_INFO]);
    else if (snapshot->sockets[index].proto == PROTO_SCTP) /* struct sctp_info: nobody shows it */
        r = 0;
    else
        r = add_tcp_info(snapshot, index, attributes[INET_DIAG_INFO]);
    if (r == 0)
        r = inet_diag_congestion(snapshot, index, attributes);
    if (r == 0)
        r = add_names(snapshot, index, attributes);
    if (r == 0 && !snapshot->sockets[index].memory)
        r = diag_memory(snapshot, &snapshot->sockets[index], attributes[INET_DIAG_SKMEMINFO]);
    return r;
}
