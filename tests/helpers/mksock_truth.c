/* SPDX-License-Identifier: MIT */
/* mksock: gathers what is true about one socket. */
#include "mksock.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define SIOCINQ_UNREAD 0x541B  /* SIOCINQ: unread bytes */
#define SIOCOUTQ_UNSENT 0x5411 /* SIOCOUTQ: bytes not acknowledged yet */

static const char *const state_names[] = {
    NULL,         "established", "syn-sent",    "syn-recv",       "fin-wait-1",
    "fin-wait-2", "time-wait",   "unconnected", "close-wait",     "last-ack",
    "listening",  "closing",     "syn-recv",    "bound-inactive",
};

const char *mk_state_name(int state)
{
    int count = (int)(sizeof(state_names) / sizeof(state_names[0]));
    if (state <= 0 || state >= count)
        return NULL;
    return state_names[state];
}

void mk_truth_init(struct mk_truth *truth, const char *role)
{
    *truth = (struct mk_truth){
        .role = role,
        .inode = -1,
        .peer_inode = -1,
        .uid = -1,
        .recv_q = -1,
        .send_q = -1,
        .backlog = -1,
        .v6only = -1,
        .mark = -1,
        .tos = -1,
        .ip_protocol = -1,
        .packet_protocol = -1,
        .netlink_protocol = -1,
        .netlink_groups = -1,
        .queue_pid = -1,
        .in_tables = true,
        .shutdown = -1,
    };
}

void mk_truth_add_holder(struct mk_truth *truth, pid_t pid, pid_t tid, int fd)
{
    if (truth->holder_count < MK_MAX_HOLDERS)
        truth->holders[truth->holder_count++] = (struct mk_holder){pid, tid, fd};
}

static int64_t int_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

static const char *type_name(int type)
{
    switch (type) {
    case SOCK_STREAM:
        return "stream";
    case SOCK_DGRAM:
        return "dgram";
    case SOCK_SEQPACKET:
        return "seqpacket";
    case SOCK_RAW:
        return "raw";
    default:
        return NULL;
    }
}

static const char *inet_proto_name(int type, int protocol)
{
    if (type == SOCK_RAW)
        return "raw";
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_UDPLITE:
        return "udplite";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return "icmp";
    case IPPROTO_MPTCP:
        return "mptcp";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_DCCP:
        return "dccp";
    default:
        return NULL;
    }
}

static void fill_bytes(struct mk_bytes *bytes, const struct sockaddr_storage *addr,
                       socklen_t length)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)addr;
    size_t size = length - offsetof(struct sockaddr_un, sun_path);
    if (length <= offsetof(struct sockaddr_un, sun_path))
        return;
    if (un->sun_path[0] != '\0') /* a path in the file system ends with one NUL that is no part */
        size = strnlen(un->sun_path, size);
    bytes->present = true;
    bytes->length = size;
    memcpy(bytes->data, un->sun_path, size);
}

static void fill_names(int fd, struct mk_truth *truth)
{
    socklen_t length = sizeof(truth->local);
    if (getsockname(fd, (struct sockaddr *)&truth->local, &length) == 0) {
        truth->has_local = true;
        if (truth->local.ss_family == AF_UNIX)
            fill_bytes(&truth->path, &truth->local, length);
    }
    length = sizeof(truth->peer);
    if (getpeername(fd, (struct sockaddr *)&truth->peer, &length) == 0) {
        truth->has_peer = true;
        if (truth->peer.ss_family == AF_UNIX)
            fill_bytes(&truth->peer_path, &truth->peer, length);
    }
}

/* The receive memory is what the kernel shows as queue for everything that is not a stream. */
static void fill_queues(int fd, int family, int type, struct mk_truth *truth)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof(memory);
    int unread = -1;
    int unsent = -1;
    if (family == AF_VSOCK)
        return;
    if (family == AF_UNIX || type == SOCK_STREAM) {
        if (ioctl(fd, SIOCINQ_UNREAD, &unread) == 0)
            truth->recv_q = unread;
        if (ioctl(fd, SIOCOUTQ_UNSENT, &unsent) == 0)
            truth->send_q = unsent;
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0) {
        truth->recv_q = memory[SK_MEMINFO_RMEM_ALLOC];
        truth->send_q = memory[SK_MEMINFO_WMEM_ALLOC];
    }
}

static void fill_tcp(int fd, int protocol, struct mk_truth *truth)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        return;
    truth->state = mk_state_name(info.tcpi_state);
    if (info.tcpi_state == TCP_LISTEN && protocol == IPPROTO_TCP) {
        truth->recv_q = info.tcpi_unacked; /* connections waiting for accept() */
        truth->send_q = info.tcpi_sacked;  /* the backlog */
        truth->backlog = info.tcpi_sacked;
    }
    if (info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_LAST_ACK ||
        info.tcpi_state == TCP_CLOSING)
        truth->recv_q++; /* sock_diag and /proc count the unread FIN, SIOCINQ does not */
    length = sizeof(truth->cc);
    (void)getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, truth->cc, &length);
}

static void fill_inet(int fd, int type, struct mk_truth *truth)
{
    int protocol = (int)int_option(fd, SOL_SOCKET, SO_PROTOCOL);
    int64_t ifindex = int_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
    bool v6 = truth->local.ss_family == AF_INET6;
    truth->family = v6 ? "inet6" : "inet";
    truth->proto = inet_proto_name(type, protocol);
    truth->ip_protocol = protocol;
    truth->v6only = v6 ? int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) : -1;
    truth->tos =
        v6 ? int_option(fd, IPPROTO_IPV6, IPV6_TCLASS) : int_option(fd, IPPROTO_IP, IP_TOS);
    truth->mark = int_option(fd, SOL_SOCKET, SO_MARK);
    if (ifindex > 0)
        (void)if_indextoname((unsigned)ifindex, truth->iface);
    truth->state = truth->has_peer ? "established" : "unconnected";
    if (type == SOCK_STREAM)
        fill_tcp(fd, protocol, truth);
}

static void fill_unix(struct mk_truth *truth)
{
    int state = mk_unix_state(truth->inode, truth->cookie);
    truth->family = "unix";
    truth->proto = "unix";
    truth->state = mk_state_name(state);
}

static void fill_packet(struct mk_truth *truth)
{
    const struct sockaddr_ll *link = (const struct sockaddr_ll *)&truth->local;
    truth->family = "packet";
    truth->proto = "packet";
    truth->state = "unconnected";
    truth->packet_protocol = ntohs(link->sll_protocol);
    if (link->sll_ifindex > 0)
        (void)if_indextoname((unsigned)link->sll_ifindex, truth->iface);
}

static void fill_family(int fd, int type, struct mk_truth *truth)
{
    switch (truth->local.ss_family) {
    case AF_INET:
    case AF_INET6:
        fill_inet(fd, type, truth);
        break;
    case AF_UNIX:
        fill_unix(truth);
        break;
    case AF_PACKET:
        fill_packet(truth);
        break;
    case AF_NETLINK:
        truth->family = truth->proto = "netlink";
        truth->state = "unconnected";
        truth->netlink_protocol = int_option(fd, SOL_SOCKET, SO_PROTOCOL);
        break;
    case AF_VSOCK:
        truth->family = truth->proto = "vsock";
        break;
    default:
        break;
    }
}

int mk_truth_from_fd(struct mk *mk, int fd, const char *role, struct mk_truth *ret_truth)
{
    struct stat st;
    socklen_t length = sizeof(ret_truth->cookie);
    mk_truth_init(ret_truth, role);
    if (fstat(fd, &st) < 0)
        return mk_fail_errno(mk, "fstat");
    ret_truth->inode = (int64_t)st.st_ino;
    ret_truth->uid = st.st_uid;
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &ret_truth->cookie, &length) == 0)
        ret_truth->has_cookie = true;
    int type = (int)int_option(fd, SOL_SOCKET, SO_TYPE);
    ret_truth->type = type_name(type);
    fill_names(fd, ret_truth);
    fill_queues(fd, ret_truth->local.ss_family, type, ret_truth);
    fill_family(fd, type, ret_truth);
    mk_truth_add_holder(ret_truth, getpid(), 0, fd);
    return 0;
}

static void fill_diag_address(const struct inet_diag_msg *msg, bool source,
                              struct sockaddr_storage *addr)
{
    const void *bytes = source ? msg->id.idiag_src : msg->id.idiag_dst;
    in_port_t port = source ? msg->id.idiag_sport : msg->id.idiag_dport;
    addr->ss_family = msg->idiag_family;
    if (msg->idiag_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)addr;
        in->sin_port = port;
        memcpy(&in->sin_addr, bytes, sizeof(in->sin_addr));
        return;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
    in6->sin6_port = port;
    memcpy(&in6->sin6_addr, bytes, sizeof(in6->sin6_addr));
}

/* For sockets without a descriptor: no inode, no holder, no owner the kernel would tell. */
void mk_truth_from_diag(const struct inet_diag_msg *msg, const char *role,
                        struct mk_truth *ret_truth)
{
    mk_truth_init(ret_truth, role);
    ret_truth->proto = "tcp";
    ret_truth->type = "stream";
    ret_truth->family = msg->idiag_family == AF_INET6 ? "inet6" : "inet";
    ret_truth->state = mk_state_name(msg->idiag_state);
    ret_truth->ip_protocol = IPPROTO_TCP;
    ret_truth->inode = 0;
    ret_truth->recv_q = msg->idiag_rqueue;
    ret_truth->send_q = msg->idiag_wqueue;
    ret_truth->has_cookie = true;
    ret_truth->cookie = msg->id.idiag_cookie[0] | (uint64_t)msg->id.idiag_cookie[1] << 32;
    ret_truth->has_local = ret_truth->has_peer = true;
    fill_diag_address(msg, true, &ret_truth->local);
    fill_diag_address(msg, false, &ret_truth->peer);
    if (msg->id.idiag_if)
        (void)if_indextoname(msg->id.idiag_if, ret_truth->iface);
}

int mk_report(struct mk *mk, int fd, const char *role)
{
    struct mk_truth truth;
    if (mk_truth_from_fd(mk, fd, role, &truth) < 0)
        return -1;
    mk_truth_print(mk, &truth);
    return 0;
}

/* For what has no state of its own to ask for, the situation says it. */
int mk_report_state(struct mk *mk, int fd, const char *role, const char *state)
{
    struct mk_truth truth;
    if (mk_truth_from_fd(mk, fd, role, &truth) < 0)
        return -1;
    truth.state = state;
    mk_truth_print(mk, &truth);
    return 0;
}

/* A running timer, as ss(8) names it. */
int mk_report_timer(struct mk *mk, int fd, const char *role, const char *timer)
{
    struct mk_truth truth;
    if (mk_truth_from_fd(mk, fd, role, &truth) < 0)
        return -1;
    truth.timer = timer;
    mk_truth_print(mk, &truth);
    return 0;
}
