/* SPDX-License-Identifier: MIT */
/* mksock: TCP on its way out. A peer that loses segments keeps each step standing still. */
#include "mksock.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The pair, and the names of the client, which is the subject. */
struct closing {
    struct mk_pair pair;
    struct sockaddr_storage local;
    struct sockaddr_storage peer;
};

static int open_pair(struct mk *mk, struct closing *ret_c)
{
    if (mk_tcp_pair(mk, IPPROTO_TCP, &ret_c->pair) < 0)
        return -1;
    return mk_names(mk, ret_c->pair.client, &ret_c->local, &ret_c->peer);
}

static int end_output(struct mk *mk, int fd, int state)
{
    if (shutdown(fd, SHUT_WR) < 0)
        return mk_fail_errno(mk, "shutdown");
    return mk_wait_state(mk, fd, state);
}

/* A socket without a descriptor; the timer may be NULL where it can be one of several. */
static int report_orphan(struct mk *mk, const struct closing *c, int state, const char *timer,
                         const char *note)
{
    struct inet_diag_msg msg;
    struct mk_truth truth;
    if (mk_wait_diag(mk, &c->local, &c->peer, state, &msg) < 0)
        return -1;
    mk_truth_from_diag(&msg, "subject", &truth);
    truth.timer = timer;
    truth.owner_note = note;
    mk_truth_print(mk, &truth);
    return 0;
}

/* The subject in its state: with its descriptor, or closed when orphan=1. */
static int report_subject(struct mk *mk, struct closing *c, int state, int shut)
{
    struct mk_truth truth;
    if (mk_number(mk, "orphan", 0) != 0) {
        (void)close(c->pair.client);
        c->pair.client = -1;
        return report_orphan(mk, c, state, NULL, "orphan");
    }
    if (mk_truth_from_fd(mk, c->pair.client, "subject", &truth) < 0)
        return -1;
    truth.shutdown = shut;
    truth.peer = c->peer; /* getpeername() fails in some of these states */
    truth.has_peer = true;
    mk_truth_print(mk, &truth);
    return 0;
}

static int report_server(struct mk *mk, const struct closing *c)
{
    struct mk_truth truth;
    if (c->pair.listener >= 0 && mk_report(mk, c->pair.listener, "listener") < 0)
        return -1;
    if (mk_truth_from_fd(mk, c->pair.server, "server", &truth) < 0)
        return -1;
    truth.peer = c->local;
    truth.has_peer = true;
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_fin_wait_1(struct mk *mk)
{
    struct closing c;
    int64_t send_q = mk_number(mk, "sendq", 0);
    if (open_pair(mk, &c) < 0)
        return -1;
    if (mk_number(mk, "window", 1) == 0) {
        if (mk_tcp_fill(mk, &c.pair) < 0)
            return -1;
    } else if (mk_drop_input(mk, c.pair.server, true) < 0 ||
               mk_tcp_write(mk, c.pair.client, send_q) < 0) {
        return -1;
    }
    if (end_output(mk, c.pair.client, TCP_FIN_WAIT1) < 0)
        return -1;
    if (report_subject(mk, &c, TCP_FIN_WAIT1, 2) < 0)
        return -1;
    return report_server(mk, &c);
}

/* orphan=1: the kernel keeps a small time-wait record; orphan=full: lingers as a whole socket. */
static int make_fin_wait_2(struct mk *mk)
{
    struct closing c;
    int linger_seconds = 90; /* above TCP_TIMEWAIT_LEN the kernel keeps the whole socket */
    const char *orphan = mk_option(mk, "orphan", "0");
    bool full = strcmp(orphan, "full") == 0;
    if (open_pair(mk, &c) < 0 || end_output(mk, c.pair.client, TCP_FIN_WAIT2) < 0 ||
        mk_wait_state(mk, c.pair.server, TCP_CLOSE_WAIT) < 0)
        return -1;
    if (full && setsockopt(c.pair.client, IPPROTO_TCP, TCP_LINGER2, &linger_seconds,
                           sizeof(linger_seconds)) < 0)
        return mk_fail_errno(mk, "TCP_LINGER2");
    if (full || mk_number(mk, "orphan", 0) != 0) {
        (void)close(c.pair.client);
        if (report_orphan(mk, &c, TCP_FIN_WAIT2, full ? "keepalive" : "timewait", "orphan") < 0)
            return -1;
    } else if (report_subject(mk, &c, TCP_FIN_WAIT2, 2) < 0) {
        return -1;
    }
    return report_server(mk, &c);
}

static int make_time_wait(struct mk *mk)
{
    struct closing c;
    if (open_pair(mk, &c) < 0 || end_output(mk, c.pair.client, TCP_FIN_WAIT2) < 0)
        return -1;
    (void)close(c.pair.client);
    (void)close(c.pair.server);
    if (report_orphan(mk, &c, TCP_TIME_WAIT, "timewait", "time-wait") < 0)
        return -1;
    return c.pair.listener >= 0 ? mk_report(mk, c.pair.listener, "listener") : 0;
}

static int make_close_wait(struct mk *mk)
{
    struct closing c;
    int64_t recv_q = mk_number(mk, "recvq", 0);
    if (open_pair(mk, &c) < 0 || mk_tcp_write(mk, c.pair.server, recv_q) < 0 ||
        mk_wait_input(mk, c.pair.client, (int)recv_q) < 0 ||
        end_output(mk, c.pair.server, TCP_FIN_WAIT2) < 0 ||
        mk_wait_state(mk, c.pair.client, TCP_CLOSE_WAIT) < 0)
        return -1;
    if (report_subject(mk, &c, TCP_CLOSE_WAIT, 1) < 0)
        return -1;
    return report_server(mk, &c);
}

static int make_last_ack(struct mk *mk)
{
    struct closing c;
    if (open_pair(mk, &c) < 0 || end_output(mk, c.pair.server, TCP_FIN_WAIT2) < 0 ||
        mk_wait_state(mk, c.pair.client, TCP_CLOSE_WAIT) < 0 ||
        mk_drop_input(mk, c.pair.server, true) < 0 ||
        end_output(mk, c.pair.client, TCP_LAST_ACK) < 0)
        return -1;
    if (report_subject(mk, &c, TCP_LAST_ACK, 3) < 0)
        return -1;
    return report_server(mk, &c);
}

/* Both ends close unheard, then the client alone hears again: the server's repeated FIN. */
static int make_closing(struct mk *mk)
{
    struct closing c;
    if (open_pair(mk, &c) < 0 || mk_drop_input(mk, c.pair.client, true) < 0 ||
        mk_drop_input(mk, c.pair.server, true) < 0 ||
        end_output(mk, c.pair.client, TCP_FIN_WAIT1) < 0 ||
        end_output(mk, c.pair.server, TCP_FIN_WAIT1) < 0)
        return -1;
    if (mk_drop_input(mk, c.pair.client, false) < 0 ||
        mk_wait_state(mk, c.pair.client, TCP_CLOSING) < 0)
        return -1;
    if (report_subject(mk, &c, TCP_CLOSING, 3) < 0)
        return -1;
    return report_server(mk, &c);
}

const struct mk_situation mk_tcp_close_situations[] = {
    {"fin-wait-1", "FIN unanswered; orphan=1 sendq= window=0 (zero window, unsent data)",
     make_fin_wait_1},
    {"fin-wait-2", "FIN answered, peer still open; orphan=1 (small record) orphan=full",
     make_fin_wait_2},
    {"time-wait", "closed by both, client first", make_time_wait},
    {"close-wait", "closed by the peer, not by us; recvq=", make_close_wait},
    {"last-ack", "closed by both, peer first, last ACK lost; orphan=1", make_last_ack},
    {"closing", "closed by both at once, ACK lost; orphan=1", make_closing},
    {NULL, NULL, NULL},
};
