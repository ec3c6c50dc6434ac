/* SPDX-License-Identifier: MIT */
/* mksock: TCP up to established: listening, connecting, queues, timers. */
#include "mksock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int start_connect(struct mk *mk, const struct sockaddr_storage *to, bool deaf)
{
    int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return mk_fail_errno(mk, "socket");
    if (deaf && mk_drop_input(mk, fd, true) < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)to, mk_inet_length(to)) < 0 && errno != EINPROGRESS)
        return mk_fail_errno(mk, "connect");
    return fd;
}

/* The child that waits in the accept queue: a full socket, but no file and so no inode. */
static int report_pending(struct mk *mk, int client, int state)
{
    struct sockaddr_storage local;
    struct sockaddr_storage peer;
    struct inet_diag_msg msg;
    struct mk_truth truth;
    if (mk_names(mk, client, &local, &peer) < 0 || mk_wait_diag(mk, &peer, &local, state, &msg) < 0)
        return -1;
    mk_truth_from_diag(&msg, "pending", &truth);
    truth.owner_note = "accept-queue";
    truth.queue_pid = getpid();
    mk_truth_print(mk, &truth);
    return 0;
}

static int add_pending(struct mk *mk, int listener, int64_t pending, bool closed)
{
    struct sockaddr_storage addr;
    if (mk_listener_address(mk, listener, &addr) < 0)
        return -1;
    for (int64_t i = 0; i < pending; i++) {
        int client = start_connect(mk, &addr, false);
        if (client < 0 || mk_wait_state(mk, client, TCP_ESTABLISHED) < 0 ||
            mk_wait_pending(mk, listener, (unsigned)i + 1) < 0)
            return -1;
        if (closed && shutdown(client, SHUT_WR) < 0)
            return mk_fail_errno(mk, "shutdown");
        if (closed && mk_wait_state(mk, client, TCP_FIN_WAIT2) < 0)
            return -1;
        if (report_pending(mk, client, closed ? TCP_CLOSE_WAIT : TCP_ESTABLISHED) < 0 ||
            mk_report(mk, client, "client") < 0)
            return -1;
    }
    return 0;
}

static int make_listening(struct mk *mk)
{
    int64_t pending = mk_number(mk, "pending", 0);
    bool closed = mk_number(mk, "closed", 0) != 0;
    int fd = mk_tcp_listener(mk, IPPROTO_TCP, (int)mk_number(mk, "backlog", 128));
    if (fd < 0 || add_pending(mk, fd, pending, closed) < 0)
        return -1;
    return mk_report(mk, fd, "subject");
}

static int make_listening_dual(struct mk *mk)
{
    mk_default(mk, "addr", "::");
    mk_default(mk, "v6only", "0");
    return make_listening(mk);
}

static int make_listening_v6only(struct mk *mk)
{
    mk_default(mk, "addr", "::");
    mk_default(mk, "v6only", "1");
    return make_listening(mk);
}

static int make_unaccepted(struct mk *mk)
{
    mk_default(mk, "pending", "1");
    return make_listening(mk);
}

static int make_unconnected(struct mk *mk)
{
    struct mk_truth truth;
    int fd = mk_inet_socket(mk, SOCK_STREAM, IPPROTO_TCP);
    if (fd < 0 || mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    truth.in_tables = false;
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_bound_inactive(struct mk *mk)
{
    int fd = mk_inet_socket(mk, SOCK_STREAM, IPPROTO_TCP);
    if (fd < 0 || mk_inet_bind(mk, fd) < 0)
        return -1;
    return mk_report_state(mk, fd, "subject", mk_state_name(MK_TCP_BOUND_INACTIVE));
}

/* The listener loses the SYN, so nothing answers. */
static int make_syn_sent(struct mk *mk)
{
    struct sockaddr_storage addr;
    int listener = mk_tcp_listener(mk, IPPROTO_TCP, 1);
    if (listener < 0 || mk_drop_input(mk, listener, true) < 0 ||
        mk_listener_address(mk, listener, &addr) < 0)
        return -1;
    int client = start_connect(mk, &addr, false);
    if (client < 0 || mk_wait_state(mk, client, TCP_SYN_SENT) < 0)
        return -1;
    if (mk_report(mk, listener, "listener") < 0)
        return -1;
    struct sockaddr_storage local;
    struct mk_truth truth;
    socklen_t length = sizeof(local);
    if (getsockname(client, (struct sockaddr *)&local, &length) < 0)
        return mk_fail_errno(mk, "getsockname");
    if (mk_truth_from_fd(mk, client, "subject", &truth) < 0)
        return -1;
    truth.peer = addr; /* getpeername() knows none yet */
    truth.has_peer = true;
    truth.timer = "on";
    truth.send_q = 1; /* the SYN itself */
    mk_truth_print(mk, &truth);
    return 0;
}

/* The client loses the SYN-ACK: the listener keeps a request, the client stays in syn-sent. */
static int make_syn_recv(struct mk *mk)
{
    struct sockaddr_storage addr;
    struct sockaddr_storage local;
    struct inet_diag_msg msg;
    struct mk_truth truth;
    socklen_t length = sizeof(local);
    int listener = mk_tcp_listener(mk, IPPROTO_TCP, 16);
    if (listener < 0 || mk_listener_address(mk, listener, &addr) < 0)
        return -1;
    int client = start_connect(mk, &addr, true);
    if (client < 0 || getsockname(client, (struct sockaddr *)&local, &length) < 0)
        return client < 0 ? -1 : mk_fail_errno(mk, "getsockname");
    if (mk_wait_diag(mk, &addr, &local, TCP_SYN_RECV, &msg) < 0)
        return -1;
    mk_truth_from_diag(&msg, "subject", &truth);
    truth.timer = "on";
    truth.owner_note = "accept-queue";
    truth.queue_pid = getpid();
    mk_truth_print(mk, &truth);
    if (mk_report(mk, listener, "listener") < 0)
        return -1;
    if (mk_truth_from_fd(mk, client, "client", &truth) < 0)
        return -1;
    truth.peer = addr;
    truth.has_peer = true;
    truth.send_q = 1;
    mk_truth_print(mk, &truth);
    return 0;
}

int mk_tcp_write(struct mk *mk, int fd, int64_t bytes)
{
    static const char zeros[65536];
    while (bytes > 0) {
        size_t chunk = bytes < (int64_t)sizeof(zeros) ? (size_t)bytes : sizeof(zeros);
        ssize_t n = send(fd, zeros, chunk, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return mk_fail_errno(mk, "send");
        bytes -= n;
    }
    return 0;
}

static int set_keepalive(struct mk *mk, int fd, int seconds)
{
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds)) < 0)
        return mk_fail_errno(mk, "keepalive");
    return mk_wait_timer(mk, fd, 2);
}

/* The client is the one whose queues and timers are asked for. */
static int fill_queues(struct mk *mk, const struct mk_pair *pair, const char **timer)
{
    int64_t recv_q = mk_number(mk, "recvq", 0);
    int64_t send_q = mk_number(mk, "sendq", 0);
    int64_t keepalive = mk_number(mk, "keepalive", 0);
    if (recv_q > 0 && (mk_tcp_write(mk, pair->server, recv_q) < 0 ||
                       mk_wait_input(mk, pair->client, (int)recv_q) < 0 ||
                       mk_wait_output(mk, pair->server, 0) < 0))
        return -1;
    if (keepalive > 0) {
        *timer = "keepalive";
        if (set_keepalive(mk, pair->client, (int)keepalive) < 0)
            return -1;
    }
    if (send_q > 0) {
        *timer = "on";
        if (mk_drop_input(mk, pair->server, true) < 0 ||
            mk_tcp_write(mk, pair->client, send_q) < 0 ||
            mk_wait_output(mk, pair->client, (int)send_q) < 0 ||
            mk_wait_timer(mk, pair->client, 1) < 0)
            return -1;
    }
    return 0;
}

static int make_established(struct mk *mk)
{
    struct mk_pair pair;
    const char *timer = "off";
    if (mk_tcp_pair(mk, IPPROTO_TCP, &pair) < 0 || fill_queues(mk, &pair, &timer) < 0)
        return -1;
    if (pair.listener >= 0 && mk_report(mk, pair.listener, "listener") < 0)
        return -1;
    if (mk_report_timer(mk, pair.client, "subject", timer) < 0)
        return -1;
    return mk_report(mk, pair.server, "server");
}

static int make_unread(struct mk *mk)
{
    mk_default(mk, "recvq", "1000");
    return make_established(mk);
}

static int make_unsent(struct mk *mk)
{
    mk_default(mk, "sendq", "1000");
    return make_established(mk);
}

static int make_keepalive(struct mk *mk)
{
    mk_default(mk, "keepalive", "7200");
    return make_established(mk);
}

/* Writes until the receiver's window is zero and the sender's buffer is full. */
int mk_tcp_fill(struct mk *mk, struct mk_pair *pair)
{
    static const char zeros[16384];
    int small = 65536;
    ssize_t n;
    (void)setsockopt(pair->server, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    (void)setsockopt(pair->client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    do {
        n = send(pair->client, zeros, sizeof(zeros), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n > 0);
    if (errno != EAGAIN)
        return mk_fail_errno(mk, "send");
    return mk_wait_probed(mk, pair->client);
}

static int make_persist(struct mk *mk)
{
    struct mk_pair pair;
    if (mk_tcp_pair(mk, IPPROTO_TCP, &pair) < 0 || mk_tcp_fill(mk, &pair) < 0)
        return -1;
    if (pair.listener >= 0 && mk_report(mk, pair.listener, "listener") < 0)
        return -1;
    if (mk_report_timer(mk, pair.client, "subject", "persist") < 0)
        return -1;
    return mk_report(mk, pair.server, "server");
}

/* The server side is an IPv6 socket that talks IPv4. */
static int make_v4_mapped(struct mk *mk)
{
    struct mk_pair pair;
    mk_default(mk, "addr", "::");
    mk_default(mk, "peer-family", "4");
    if (mk_tcp_pair(mk, IPPROTO_TCP, &pair) < 0)
        return -1;
    if (pair.listener >= 0 && mk_report(mk, pair.listener, "listener") < 0)
        return -1;
    if (mk_report(mk, pair.server, "subject") < 0)
        return -1;
    return mk_report(mk, pair.client, "client");
}

/* A multipath socket carries a plain TCP subflow of the same inode. */
static int report_subflow(struct mk *mk, int fd)
{
    struct sockaddr_storage local;
    struct sockaddr_storage peer;
    struct inet_diag_msg msg;
    struct mk_truth truth;
    if (mk_names(mk, fd, &local, &peer) < 0 ||
        mk_wait_diag(mk, &local, &peer, TCP_ESTABLISHED, &msg) < 0)
        return -1;
    mk_truth_from_diag(&msg, "subflow", &truth);
    truth.inode = -1; /* whether the subflow shows its owner's inode is the kernel's choice */
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_mptcp_listening(struct mk *mk)
{
    int fd = mk_tcp_listener(mk, IPPROTO_MPTCP, (int)mk_number(mk, "backlog", 128));
    return fd < 0 ? -1 : mk_report_state(mk, fd, "subject", "listening");
}

static int make_mptcp_established(struct mk *mk)
{
    struct mk_pair pair;
    if (mk_tcp_pair(mk, IPPROTO_MPTCP, &pair) < 0)
        return -1;
    if (pair.listener >= 0 && mk_report_state(mk, pair.listener, "listener", "listening") < 0)
        return -1;
    if (mk_report_state(mk, pair.client, "subject", "established") < 0 ||
        mk_report_state(mk, pair.server, "server", "established") < 0)
        return -1;
    if (report_subflow(mk, pair.client) < 0)
        return -1;
    return report_subflow(mk, pair.server);
}

const struct mk_situation mk_tcp_situations[] = {
    {"listening", "TCP listener; backlog= pending= closed=1 (pending ones in close-wait)",
     make_listening},
    {"listening-dual", "listener on :: for IPv6 and IPv4", make_listening_dual},
    {"listening-v6only", "listener on :: for IPv6 alone", make_listening_v6only},
    {"unaccepted", "listener with a connection nobody accepted; pending= closed=1",
     make_unaccepted},
    {"unconnected", "TCP socket that was never bound: in no kernel table", make_unconnected},
    {"bound-inactive", "TCP socket bound to a port, not listening", make_bound_inactive},
    {"syn-sent", "connect() to a listener that loses the SYN", make_syn_sent},
    {"syn-recv", "half-open request of a listener, no file", make_syn_recv},
    {"established", "both ends; recvq= sendq= keepalive= keep-listener=1", make_established},
    {"unread", "established with unread data; recvq=", make_unread},
    {"unsent", "established with unacknowledged data; sendq=", make_unsent},
    {"keepalive", "established with a keepalive timer; keepalive=SECONDS", make_keepalive},
    {"persist", "established, zero window, data waiting", make_persist},
    {"v4-mapped", "IPv6 socket in an IPv4 connection", make_v4_mapped},
    {"mptcp-listening", "multipath TCP listener; backlog=", make_mptcp_listening},
    {"mptcp-established", "multipath TCP, both ends and their subflows", make_mptcp_established},
    {NULL, NULL, NULL},
};
