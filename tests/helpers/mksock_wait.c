/* SPDX-License-Identifier: MIT */
/* mksock: asks the kernel for the state of one socket and waits until it is the wanted one. */
#include "mksock.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_BYTES 8192

/* One millisecond; false when the patience is used up. */
bool mk_tick(unsigned *tick)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    (void)nanosleep(&pause, NULL);
    return ++*tick < MK_WAIT_MS;
}

int mk_tcp_state(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        return -errno;
    return info.tcpi_state;
}

/* Sends one sock_diag request, copies the body of the one answer. */
static int diag_ask(const void *request, size_t size, void *body, size_t body_size)
{
    char answer[ANSWER_BYTES] __attribute__((aligned(8)));
    const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return -errno;
    ssize_t n = send(fd, request, size, 0);
    if (n >= 0)
        n = recv(fd, answer, sizeof(answer), 0);
    int error = n < 0 ? -errno : -EBADMSG;
    (void)close(fd);
    if (n < (ssize_t)(sizeof(*header) + sizeof(int)))
        return error;
    if (header->nlmsg_type == NLMSG_ERROR) {
        error = ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
        return error ? error : -EBADMSG; /* no body to copy */
    }
    if ((size_t)n < NLMSG_HDRLEN + body_size)
        return -EBADMSG;
    memcpy(body, NLMSG_DATA(header), body_size);
    return 0;
}

static void fill_id(__be32 *addr, __be16 *port, const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        memcpy(addr, &in->sin_addr, sizeof(in->sin_addr));
        *port = in->sin_port;
        return;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
    memcpy(addr, &in6->sin6_addr, sizeof(in6->sin6_addr));
    *port = in6->sin6_port;
}

static unsigned scope_of(const struct sockaddr_storage *addr)
{
    return addr->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)addr)->sin6_scope_id : 0;
}

/* Looks for exactly one socket by its two ends; -ENOENT when the kernel knows none. */
int mk_diag_find(int protocol, const struct sockaddr_storage *local,
                 const struct sockaddr_storage *peer, struct inet_diag_msg *ret_msg)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = (uint8_t)local->ss_family,
                 .sdiag_protocol = (uint8_t)protocol,
                 .idiag_states = ~0U},
    };
    struct inet_diag_sockid *id = &request.body.id;
    fill_id(id->idiag_src, &id->idiag_sport, local);
    fill_id(id->idiag_dst, &id->idiag_dport, peer);
    id->idiag_if = scope_of(local);
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    struct inet_diag_msg msg = {0};
    int rc = diag_ask(&request, sizeof(request), &msg, sizeof(msg));
    if (rc == 0 && (msg.id.idiag_sport != id->idiag_sport || msg.id.idiag_dport != id->idiag_dport))
        rc = -ENOENT; /* the lookup falls back to the listener */
    if (rc == 0)
        *ret_msg = msg;
    return rc;
}

int mk_unix_state(int64_t inode, uint64_t cookie)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req body;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = AF_UNIX,
                 .udiag_states = ~0U,
                 .udiag_ino = (uint32_t)inode,
                 .udiag_show = UDIAG_SHOW_NAME,
                 .udiag_cookie = {(uint32_t)cookie, (uint32_t)(cookie >> 32)}},
    };
    struct unix_diag_msg msg;
    int rc = diag_ask(&request, sizeof(request), &msg, sizeof(msg));
    return rc < 0 ? rc : msg.udiag_state;
}

int mk_wait_state(struct mk *mk, int fd, int state)
{
    unsigned tick = 0;
    int now;
    do {
        now = mk_tcp_state(fd);
        if (now == state)
            return 0;
    } while (mk_tick(&tick));
    return mk_fail(mk, "the socket stays %s, not %s", mk_state_name(now), mk_state_name(state));
}

int mk_wait_diag(struct mk *mk, const struct sockaddr_storage *local,
                 const struct sockaddr_storage *peer, int state, struct inet_diag_msg *ret_msg)
{
    unsigned tick = 0;
    struct inet_diag_msg msg = {0};
    int rc;
    do {
        rc = mk_diag_find(IPPROTO_TCP, local, peer, &msg);
        if (rc == 0 && msg.idiag_state == state) {
            *ret_msg = msg;
            return 0;
        }
    } while (mk_tick(&tick));
    if (rc < 0)
        return mk_fail(mk, "waiting for %s: %s", mk_state_name(state), strerror(-rc));
    return mk_fail(mk, "the socket stays %s, not %s", mk_state_name(msg.idiag_state),
                   mk_state_name(state));
}

/* The timer as sock_diag numbers it: 1 retransmission, 2 keepalive, 3 time-wait, 4 persist. */
int mk_wait_timer(struct mk *mk, int fd, int timer)
{
    unsigned tick = 0;
    struct inet_diag_msg msg = {0};
    struct sockaddr_storage local;
    struct sockaddr_storage peer;
    if (mk_names(mk, fd, &local, &peer) < 0)
        return -1;
    do {
        if (mk_diag_find(IPPROTO_TCP, &local, &peer, &msg) == 0 && msg.idiag_timer == timer)
            return 0;
    } while (mk_tick(&tick));
    return mk_fail(mk, "the timer stays %u, not %d", msg.idiag_timer, timer);
}

/* Until a probe of a zero window went unanswered: before that the receiver may still take more. */
int mk_wait_probed(struct mk *mk, int fd)
{
    unsigned tick = 0;
    struct tcp_info info = {0};
    do {
        socklen_t length = sizeof(info);
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
            return mk_fail_errno(mk, "TCP_INFO");
        if (info.tcpi_backoff > 0)
            return mk_wait_timer(mk, fd, 4);
    } while (mk_tick(&tick));
    return mk_fail(mk, "no zero window was probed");
}

int mk_wait_pending(struct mk *mk, int listener, unsigned pending)
{
    unsigned tick = 0;
    struct tcp_info info = {0};
    do {
        socklen_t length = sizeof(info);
        if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
            return mk_fail_errno(mk, "TCP_INFO");
        if (info.tcpi_unacked == pending)
            return 0;
    } while (mk_tick(&tick));
    return mk_fail(mk, "%u connections wait, not %u", info.tcpi_unacked, pending);
}

static int wait_queue(struct mk *mk, int fd, unsigned long request, int bytes, const char *what)
{
    unsigned tick = 0;
    int now = -1;
    do {
        if (ioctl(fd, request, &now) < 0)
            return mk_fail_errno(mk, what);
        if (now == bytes)
            return 0;
    } while (mk_tick(&tick));
    return mk_fail(mk, "%s holds %d bytes, not %d", what, now, bytes);
}

int mk_wait_input(struct mk *mk, int fd, int bytes)
{
    return wait_queue(mk, fd, 0x541B /* SIOCINQ */, bytes, "the receive queue");
}

int mk_wait_output(struct mk *mk, int fd, int bytes)
{
    return wait_queue(mk, fd, 0x5411 /* SIOCOUTQ */, bytes, "the send queue");
}
