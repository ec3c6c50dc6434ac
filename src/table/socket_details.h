/* SPDX-License-Identifier: MIT */
/* Getters of the columns of sockets that tell how they do: queues, timers, tcp_info, memory. */
#pragma once

#include "table/table.h"

column_get_fn socket_recv_q, socket_send_q, socket_accept_queue, socket_backlog, socket_accept,
    socket_syn_queue, socket_timer, socket_timer_ms, socket_timer_tries, socket_age, socket_drops,
    socket_retrans, socket_rtt, socket_rttvar, socket_min_rtt, socket_rto, socket_cwnd,
    socket_ssthresh, socket_mss, socket_pmtu, socket_unacked, socket_lost, socket_backoff,
    socket_bytes_sent, socket_bytes_acked, socket_bytes_received, socket_bytes_retrans,
    socket_segs_out, socket_segs_in, socket_notsent, socket_snd_wnd, socket_rcv_wnd,
    socket_rcv_ssthresh, socket_last_send, socket_last_recv, socket_last_ack, socket_pacing_rate,
    socket_delivery_rate, socket_rx_bytes, socket_tx_bytes, socket_rx_rate, socket_tx_rate,
    socket_rx_since, socket_tx_since, socket_cc, socket_ulp, socket_skmem, socket_rcvbuf,
    socket_sndbuf, socket_tos, socket_tclass, socket_class_id;
