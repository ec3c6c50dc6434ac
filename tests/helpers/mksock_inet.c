/* SPDX-License-Identifier: MIT */
/* mksock: inet sockets other than TCP. */
#include "mksock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

static int make_datagram(struct mk *mk, int protocol)
{
    int fd = mk_inet_socket(mk, SOCK_DGRAM, protocol);
    if (fd < 0 || mk_inet_bind(mk, fd) < 0)
        return -1;
    return mk_report(mk, fd, "subject");
}

/* One unread datagram. What the kernel shows as queue is its memory, not its length. */
static int send_one(struct mk *mk, int from, int to, size_t bytes)
{
    char data[1024] = {0};
    struct sockaddr_storage addr;
    socklen_t length = sizeof(addr);
    if (bytes == 0)
        return 0;
    if (bytes > sizeof(data))
        return mk_fail(mk, "recvq= is at most %zu", sizeof(data));
    if (getsockname(to, (struct sockaddr *)&addr, &length) < 0)
        return mk_fail_errno(mk, "getsockname");
    if (sendto(from, data, bytes, 0, (struct sockaddr *)&addr, length) < 0)
        return mk_fail_errno(mk, "sendto");
    return mk_wait_input(mk, to, (int)bytes);
}

static int make_connected(struct mk *mk, int protocol)
{
    struct sockaddr_storage addr;
    socklen_t length = sizeof(addr);
    int peer = mk_inet_socket(mk, SOCK_DGRAM, protocol);
    if (peer < 0 || mk_inet_bind(mk, peer) < 0)
        return -1;
    int fd = mk_inet_socket(mk, SOCK_DGRAM, protocol);
    if (fd < 0)
        return -1;
    if (getsockname(peer, (struct sockaddr *)&addr, &length) < 0)
        return mk_fail_errno(mk, "getsockname");
    if (connect(fd, (struct sockaddr *)&addr, length) < 0)
        return mk_fail_errno(mk, "connect");
    if (send_one(mk, peer, fd, (size_t)mk_number(mk, "recvq", 0)) < 0)
        return -1;
    return mk_report(mk, fd, "subject") < 0 ? -1 : mk_report(mk, peer, "peer");
}

static int make_udp(struct mk *mk)
{
    return make_datagram(mk, IPPROTO_UDP);
}

static int make_udp_connected(struct mk *mk)
{
    return make_connected(mk, IPPROTO_UDP);
}

static int make_udplite(struct mk *mk)
{
    return make_datagram(mk, IPPROTO_UDPLITE);
}

static int make_udplite_connected(struct mk *mk)
{
    return make_connected(mk, IPPROTO_UDPLITE);
}

static int report_unlisted(struct mk *mk, int fd)
{
    struct mk_truth truth;
    if (mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    truth.in_tables = false;
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_udp_unbound(struct mk *mk)
{
    int fd = mk_inet_socket(mk, SOCK_DGRAM, IPPROTO_UDP);
    return fd < 0 ? -1 : report_unlisted(mk, fd);
}

/* A raw socket has no port: the kernel shows the protocol number in its place. */
static int make_raw(struct mk *mk)
{
    struct sockaddr_storage addr;
    struct mk_truth truth;
    int fd = mk_inet_socket(mk, SOCK_RAW, (int)mk_number(mk, "proto", 253));
    if (fd < 0 || mk_inet_address(mk, "addr", "port", &addr) < 0)
        return -1;
    if (mk_option(mk, "addr", NULL) && bind(fd, (struct sockaddr *)&addr, mk_inet_length(&addr)))
        return mk_fail_errno(mk, "bind");
    if (mk_number(mk, "connected", 0) &&
        connect(fd, (struct sockaddr *)&addr, mk_inet_length(&addr)) < 0)
        return mk_fail_errno(mk, "connect");
    if (mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    if (mk_number(mk, "connected", 0)) { /* getpeername() knows no peer without a port */
        truth.state = "established";
        truth.peer = addr;
        truth.has_peer = true;
    }
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_ping(struct mk *mk)
{
    bool v6 = mk_inet_family(mk) == AF_INET6;
    int fd = mk_inet_socket(mk, SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    if (fd < 0 && errno == EACCES)
        return mk_fail(mk, "net.ipv4.ping_group_range of this namespace forbids ping sockets");
    if (fd < 0 || mk_inet_bind(mk, fd) < 0)
        return -1;
    return mk_report(mk, fd, "subject");
}

static int make_sctp(struct mk *mk)
{
    int fd = mk_inet_socket(mk, SOCK_STREAM, IPPROTO_SCTP);
    if (fd < 0 || mk_inet_bind(mk, fd) < 0)
        return -1;
    if (listen(fd, (int)mk_number(mk, "backlog", 128)) < 0)
        return mk_fail_errno(mk, "listen");
    return mk_report_state(mk, fd, "subject", "listening");
}

static int make_dccp(struct mk *mk)
{
    int fd = mk_inet_socket(mk, SOCK_DCCP, IPPROTO_DCCP);
    if (fd < 0 || mk_inet_bind(mk, fd) < 0)
        return -1;
    if (listen(fd, (int)mk_number(mk, "backlog", 128)) < 0)
        return mk_fail_errno(mk, "listen");
    return mk_report_state(mk, fd, "subject", "listening");
}

const struct mk_situation mk_inet_situations[] = {
    {"udp", "UDP socket, bound", make_udp},
    {"udp-connected", "UDP socket with a peer, and the peer", make_udp_connected},
    {"udp-unbound", "UDP socket that was never bound: in no kernel table", make_udp_unbound},
    {"udplite", "UDP-Lite socket, bound", make_udplite},
    {"udplite-connected", "UDP-Lite socket with a peer, and the peer", make_udplite_connected},
    {"raw", "raw socket; proto=NUMBER connected=1", make_raw},
    {"ping", "unprivileged ICMP socket; needs net.ipv4.ping_group_range", make_ping},
    {"sctp-listening", "SCTP listener; backlog=", make_sctp},
    {"dccp-listening", "DCCP listener; backlog=", make_dccp},
    {NULL, NULL, NULL},
};
