/* SPDX-License-Identifier: MIT */
/* mktraffic: datagrams of every kind. */
#include "mktraffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

static void connected(void)
{
    struct pair pair = datagram_pair(IPPROTO_UDP);

    for (unsigned int i = 0; i < 200; i++) {
        sent(pair.client, send(pair.client, (char[2]){0}, i % 3, 0)); /* empty ones too */
        received(pair.server, recv(pair.server, (char[10]){0}, 10, 0));
    }
    exchange(pair, 20000);
}

static void unconnected(void)
{
    struct sockaddr_storage address, from;
    socklen_t size = loopback(&address, 0), from_size = sizeof(from);
    int server = socket(family(), SOCK_DGRAM, 0), client = socket(family(), SOCK_DGRAM, 0);
    char bytes[1200] = "";

    if (bind(server, (struct sockaddr *)&address, size) < 0 ||
        getsockname(server, (struct sockaddr *)&address, &size) < 0)
        fail("bind");
    for (unsigned int i = 0; i < 200; i++) {
        sent(client, sendto(client, bytes, 5 * i, 0, (struct sockaddr *)&address, size));
        received(server,
                 recvfrom(server, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_size));
        sent(server, sendto(server, bytes, i, 0, (struct sockaddr *)&from, from_size));
        received(client, recv(client, bytes, sizeof(bytes), 0));
    }
}

static void many_at_once(void)
{
    struct pair pair = datagram_pair(IPPROTO_UDP);
    char bytes[10][100] = {{0}};
    struct iovec parts[10];
    struct mmsghdr messages[10] = {0};

    for (unsigned int i = 0; i < 10; i++) {
        parts[i] = (struct iovec){bytes[i], 10 * i + 1};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    if (sendmmsg(pair.client, messages, 10, 0) != 10)
        fail("sendmmsg");
    for (unsigned int i = 0; i < 10; i++) {
        sent(pair.client, messages[i].msg_len);
        parts[i].iov_len = sizeof(bytes[i]);
    }
    if (recvmmsg(pair.server, messages, 10, 0, NULL) != 10)
        fail("recvmmsg");
    for (unsigned int i = 0; i < 10; i++)
        received(pair.server, messages[i].msg_len);
}

static int bound(struct sockaddr_storage *ret_address, socklen_t *ret_size)
{
    int fd = socket(family(), SOCK_DGRAM, 0);

    *ret_size = loopback(ret_address, 0);
    if (bind(fd, (struct sockaddr *)ret_address, *ret_size) < 0 ||
        getsockname(fd, (struct sockaddr *)ret_address, ret_size) < 0)
        fail("bind");
    return fd;
}

/* Fails when the peer is known already. */
static void send_to_nowhere(int fd)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    bool is_ipv4 = family() == AF_INET;

    ipv4.sin_addr.s_addr = inet_addr("192.0.2.1");
    ipv6.sin6_addr.s6_addr[0] = 0x20;
    if (sendto(fd, "lost", 4, 0, is_ipv4 ? (struct sockaddr *)&ipv4 : (struct sockaddr *)&ipv6,
               is_ipv4 ? sizeof(ipv4) : sizeof(ipv6)) >= 0)
        fail("a network that there is not");
}

#define PEERS 10

/* What the hub takes in from each peer: 1000 bytes without asking who sent them, and some more. */
static void receive_from_peer(int hub, int peer, const struct sockaddr *address, socklen_t size,
                              size_t more)
{
    struct sockaddr_storage from;
    socklen_t from_size = sizeof(from);
    char bytes[2000] = "";
    struct iovec part = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_name = &from, .msg_iov = &part, .msg_iovlen = 1};

    sent(peer, sendto(peer, bytes, 1000, 0, address, size));
    sent(peer, sendto(peer, bytes, more, 0, address, size));
    if (recvfrom(hub, bytes, 5, MSG_PEEK, (struct sockaddr *)&from, &from_size) != 5)
        fail("peek");
    received(hub, recv(hub, bytes, sizeof(bytes), 0));
    send_to_nowhere(hub);
    message.msg_namelen = sizeof(from);
    received(hub, recvmsg(hub, &message, 0));
}

/* One socket and many others, by every call that says or asks for an address. */
static void peers(void)
{
    struct sockaddr_storage address, addresses[PEERS], from[2];
    struct mmsghdr messages[PEERS] = {0}, taken[2] = {0};
    char bytes[2000] = "";
    struct iovec parts[PEERS], part = {bytes, sizeof(bytes)};
    socklen_t size;
    int hub = bound(&address, &size), fds[PEERS];

    for (unsigned int i = 0; i < PEERS; i++) {
        fds[i] = bound(&addresses[i], &size);
        parts[i] = (struct iovec){bytes, 10 * i + 1};
        messages[i].msg_hdr = (struct msghdr){&addresses[i], size, &parts[i], 1, NULL, 0, 0};
    }
    for (unsigned int i = 0; i < 2; i++)
        taken[i].msg_hdr = (struct msghdr){&from[i], sizeof(from[i]), &part, 1, NULL, 0, 0};
    if (sendmmsg(hub, messages, PEERS, 0) != PEERS)
        fail("sendmmsg");
    for (unsigned int i = 0; i < PEERS; i++) {
        sent(hub, messages[i].msg_len);
        sent(hub, sendto(hub, bytes, 7, 0, (struct sockaddr *)&addresses[i], size));
        if (recvmmsg(fds[i], taken, 2, 0, NULL) != 2)
            fail("recvmmsg");
        received(fds[i], taken[0].msg_len);
        received(fds[i], taken[1].msg_len);
        receive_from_peer(hub, fds[i], (struct sockaddr *)&address, size, 1 + i);
    }
}

/* The datagram stays, and is cut when it is read: what counts is what came. */
static void peek_and_cut(void)
{
    struct pair pair = datagram_pair(IPPROTO_UDP);
    char bytes[1000] = "";

    sent(pair.client, send(pair.client, bytes, sizeof(bytes), 0));
    for (int i = 0; i < 3; i++)
        if (recv(pair.server, bytes, 10, MSG_PEEK) != 10)
            fail("peek");
    received(pair.server, recv(pair.server, bytes, 10, 0));
    sent(pair.client, send(pair.client, bytes, sizeof(bytes), 0));
    received(pair.server, recv(pair.server, bytes, 10, MSG_TRUNC));
}

/* Segments of one call, and several datagrams in one read. */
static void segments(void)
{
    struct pair pair = datagram_pair(IPPROTO_UDP);
    static char bytes[60000];
    int one = 1, size = 1000;

    if (setsockopt(pair.client, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0)
        skip("UDP_SEGMENT");
    if (setsockopt(pair.server, SOL_UDP, UDP_GRO, &one, sizeof(one)) < 0)
        skip("UDP_GRO");
    for (int i = 0; i < 5; i++) {
        sent(pair.client, send(pair.client, bytes, 30500, 0));
        for (ssize_t n = 0, sum = 0; sum < 30500; sum += n) {
            n = recv(pair.server, bytes, sizeof(bytes), 0);
            received(pair.server, n);
        }
    }
}

static void udplite(void)
{
    struct pair pair = datagram_pair(IPPROTO_UDPLITE);

    exchange(pair, 3000);
}

/* Two members, both get it, and so does nobody else. */
static void multicast(void)
{
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("239.7.7.7")};
    struct ip_mreqn member = {.imr_multiaddr = group.sin_addr,
                              .imr_address.s_addr = htonl(INADDR_LOOPBACK)};
    int members[2], sender = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    char bytes[333] = "";

    group.sin_port = htons(7778);
    for (int i = 0; i < 2; i++) {
        members[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (setsockopt(members[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
            bind(members[i], (struct sockaddr *)&group, sizeof(group)) < 0 ||
            setsockopt(members[i], IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof(member)) < 0)
            fail("multicast");
    }
    if (setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &member, sizeof(member)) < 0)
        fail("IP_MULTICAST_IF");
    sent(sender, sendto(sender, bytes, sizeof(bytes), 0, (struct sockaddr *)&group, sizeof(group)));
    for (int i = 0; i < 2; i++)
        received(members[i], recv(members[i], bytes, sizeof(bytes), 0));
}

/* An IPv4 raw socket reads the header as well. */
static void raw(void)
{
    struct sockaddr_storage address;
    socklen_t size = loopback(&address, 0);
    int fd = socket(family(), SOCK_RAW, 253);
    char bytes[700] = "";

    if (fd < 0)
        skip("raw socket");
    sent(fd, sendto(fd, bytes, 600, 0, (struct sockaddr *)&address, size));
    received(fd, recv(fd, bytes, sizeof(bytes), 0));
}

static void ping(void)
{
    struct sockaddr_storage address;
    socklen_t size = loopback(&address, 0);
    bool v6 = family() == AF_INET6;
    int fd = socket(family(), SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    char bytes[500] = {(char)(v6 ? 128 : ICMP_ECHO)};

    if (fd < 0)
        skip("ping socket");
    for (size_t i = 0; i < 5; i++) {
        sent(fd, sendto(fd, bytes, 64 + i, 0, (struct sockaddr *)&address, size));
        received(fd, recv(fd, bytes + 100, 400, 0));
    }
}

/* What was sent comes back with the time of its sending: that is no traffic. */
static void timestamps(void)
{
    struct pair pair = datagram_pair(IPPROTO_UDP);
    int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    struct pollfd waiting = {.fd = pair.client};
    char bytes[900] = "", control[500];
    struct iovec part = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};

    if (setsockopt(pair.client, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0)
        skip("SO_TIMESTAMPING");
    sent(pair.client, send(pair.client, bytes, 400, 0));
    received(pair.server, recv(pair.server, bytes, sizeof(bytes), 0));
    message.msg_controllen = sizeof(control);
    if (poll(&waiting, 1, 5000) != 1 || recvmsg(pair.client, &message, MSG_ERRQUEUE) < 0)
        skip("timestamp");
}

const struct situation datagram_situations[] = {
    {"udp", connected},
    {"udp-unconnected", unconnected},
    {"udp-many-at-once", many_at_once},
    {"udp-peers", peers},
    {"udp-peek-and-cut", peek_and_cut},
    {"udp-segments", segments},
    {"udp-timestamps", timestamps},
    {"udplite", udplite},
    {"multicast", multicast},
    {"raw", raw},
    {"ping", ping},
    {0},
};
