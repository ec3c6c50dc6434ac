/* SPDX-License-Identifier: MIT */
/* mktraffic: every way by which a process moves bytes through a stream. */
#include "mktraffic.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif

static void plain(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);

    for (unsigned int i = 0; i < 20; i++)
        exchange(pair, 1 + i * 1234);
}

/* Each call that has a name of its own. */
static void every_call(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    char bytes[1000] = "";
    struct iovec parts[] = {{bytes, 100}, {bytes + 100, 900}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct mmsghdr messages[] = {{.msg_hdr = message}, {.msg_hdr = message}};

    sent(pair.client, write(pair.client, bytes, 10));
    received(pair.server, read(pair.server, bytes, sizeof(bytes)));
    sent(pair.client, writev(pair.client, parts, 2));
    received(pair.server, readv(pair.server, parts, 2));
    sent(pair.client, sendto(pair.client, bytes, 20, 0, NULL, 0));
    received(pair.server, recvfrom(pair.server, bytes, sizeof(bytes), 0, NULL, NULL));
    sent(pair.client, sendmsg(pair.client, &message, 0));
    received(pair.server, recvmsg(pair.server, &message, 0));
    if (sendmmsg(pair.client, messages, 2, 0) != 2)
        fail("sendmmsg");
    sent(pair.client, messages[0].msg_len + messages[1].msg_len);
    received(pair.server, recv(pair.server, bytes, sizeof(bytes), MSG_WAITALL));
    received(pair.server, recv(pair.server, bytes, sizeof(bytes), MSG_TRUNC));
    sent(pair.client, pwritev2(pair.client, parts, 2, -1, 0));
    received(pair.server, preadv2(pair.server, parts, 2, -1, 0));
}

static void peek(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    char bytes[1000];

    send_bytes(pair.client, 1000);
    for (int i = 0; i < 5; i++)
        if (recv(pair.server, bytes, sizeof(bytes), MSG_PEEK | MSG_WAITALL) != 1000)
            fail("peek");
    receive_bytes(pair.server, 1000);
}

static int file_of(size_t size)
{
    int fd = memfd_create("mktraffic", 0);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        fail("memfd");
    return fd;
}

static void by_sendfile(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    int file = file_of(100000);

    for (int i = 0; i < 5; i++) {
        off_t at = 0;

        sent(pair.client, sendfile(pair.client, file, &at, 20000));
        receive_bytes(pair.server, 20000);
    }
}

/* Through a pipe into one socket, and out of the other. */
static void by_splice(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    int pipe_fds[2];
    char bytes[16384] = "";

    if (pipe(pipe_fds) < 0)
        fail("pipe");
    for (int i = 0; i < 100; i++) {
        ssize_t n = write(pipe_fds[1], bytes, sizeof(bytes));

        n = splice(pipe_fds[0], NULL, pair.client, NULL, (size_t)n, 0);
        sent(pair.client, n);
        for (ssize_t rest = n; rest > 0; rest -= n) {
            n = splice(pair.server, NULL, pipe_fds[1], NULL, (size_t)rest, 0);
            received(pair.server, n);
            for (ssize_t in_pipe = n; in_pipe > 0;)
                in_pipe -= read(pipe_fds[0], bytes, (size_t)in_pipe);
        }
    }
    send_bytes(pair.server, 5);
    receive_bytes(pair.client, 5);
}

/* Nothing but splicing, and an end that both sides are told of. */
static void only_splice(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    int pipe_fds[2];
    char bytes[30000];
    ssize_t n;

    if (pipe(pipe_fds) < 0)
        fail("pipe");
    send_bytes(pair.client, 30000);
    shutdown(pair.client, SHUT_WR);
    do {
        n = splice(pair.server, NULL, pipe_fds[1], NULL, 10000, 0);
        received(pair.server, n);
        if (n > 0 && read(pipe_fds[0], bytes, (size_t)n) != n)
            fail("pipe");
    } while (n > 0);
    close(pair.server);
    receive_all(pair.client);
}

static void zerocopy_send(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    static char bytes[65536];
    int one = 1;

    if (setsockopt(pair.client, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) < 0)
        skip("SO_ZEROCOPY");
    for (int i = 0; i < 10; i++) {
        char control[200];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};
        ssize_t n = send(pair.client, bytes, sizeof(bytes), MSG_ZEROCOPY);

        sent(pair.client, n);
        receive_bytes(pair.server, (size_t)n);
        (void)recvmsg(pair.client, &message, MSG_ERRQUEUE | MSG_DONTWAIT); /* may be late */
    }
}

/* Pages are mapped, what does not fill one is copied. */
static void zerocopy_receive(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    size_t size = 16 * 4096;
    void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, pair.server, 0);
    struct tcp_zerocopy_receive request = {.address = (uintptr_t)memory, .length = (uint32_t)size};
    socklen_t length = sizeof(request);
    int file = file_of(size);
    off_t at = 0;

    if (memory == MAP_FAILED)
        skip("mmap of a socket");
    sent(pair.client, sendfile(pair.client, file, &at, size));
    while (recv(pair.server, (char[1]){0}, 1, MSG_PEEK) != 1)
        ;
    if (getsockopt(pair.server, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &request, &length) < 0)
        skip("TCP_ZEROCOPY_RECEIVE");
    received(pair.server, request.length);
    receive_bytes(pair.server, size - request.length);
}

static void unread(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);

    send_bytes(pair.client, 50000);
    receive_bytes(pair.server, 1);
    close(pair.server);
    close(pair.client);
}

/* Both ends read to the end, which has a sequence number and no byte. */
static void to_the_end(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);

    send_bytes(pair.client, 5000);
    shutdown(pair.client, SHUT_WR);
    receive_all(pair.server);
    send_bytes(pair.server, 700);
    close(pair.server);
    receive_all(pair.client);
    close(pair.client);
}

static void mptcp(void)
{
    struct pair pair = stream_pair(IPPROTO_MPTCP);

    for (int i = 0; i < 10; i++)
        exchange(pair, 10000);
}

static void send_much(void *argument)
{
    int fd = *(int *)argument;
    static char bytes[1 << 20];

    for (int i = 0; i < 50; i++)
        sent(fd, send(fd, bytes, sizeof(bytes), 0)); /* blocks until all of it is in the queue */
    close(fd);
}

static void bulk(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);

    start(send_much, &pair.client);
    close(pair.client);
    receive_all(pair.server);
    wait_for_all();
}

const struct situation stream_situations[] = {
    {"tcp", plain},
    {"tcp-every-call", every_call},
    {"tcp-peek", peek},
    {"tcp-sendfile", by_sendfile},
    {"tcp-splice", by_splice},
    {"tcp-only-splice", only_splice},
    {"tcp-zerocopy-send", zerocopy_send},
    {"tcp-zerocopy-receive", zerocopy_receive},
    {"tcp-unread", unread},
    {"tcp-to-the-end", to_the_end},
    {"tcp-bulk", bulk},
    {"mptcp", mptcp},
    {0},
};
