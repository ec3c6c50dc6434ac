/* SPDX-License-Identifier: MIT */
/* mktraffic: io_uring, and sockets that are older than who counts. */
#include "mktraffic.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONG_SEND (40 << 20)

/* --- io_uring, one request at a time --- */

struct uring {
    int fd;
    struct io_uring_params params;
    char *submit, *complete; /* the mapped queues */
    struct io_uring_sqe *entries;
};

static unsigned int *word(char *queue, unsigned int offset)
{
    return (unsigned int *)(void *)(queue + offset);
}

static void uring_open(struct uring *uring)
{
    *uring = (struct uring){0};
    uring->fd = (int)syscall(SYS_io_uring_setup, 4, &uring->params);
    if (uring->fd < 0)
        skip("io_uring");
    uring->submit =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, uring->fd, IORING_OFF_SQ_RING);
    uring->complete =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, uring->fd, IORING_OFF_CQ_RING);
    uring->entries =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, uring->fd, IORING_OFF_SQES);
    if (uring->submit == MAP_FAILED || uring->complete == MAP_FAILED ||
        uring->entries == MAP_FAILED)
        fail("mmap");
}

static ssize_t uring_run(struct uring *uring, struct io_uring_sqe entry)
{
    unsigned int *tail = word(uring->submit, uring->params.sq_off.tail);
    unsigned int *head = word(uring->complete, uring->params.cq_off.head);
    unsigned int at = *tail & *word(uring->submit, uring->params.sq_off.ring_mask);
    struct io_uring_cqe *done =
        (struct io_uring_cqe *)(void *)(uring->complete + uring->params.cq_off.cqes);
    ssize_t result;

    uring->entries[at] = entry;
    word(uring->submit, uring->params.sq_off.array)[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, uring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        fail("io_uring_enter");
    result = done[*head & *word(uring->complete, uring->params.cq_off.ring_mask)].res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    if (result < 0)
        errno = (int)-result;
    return result;
}

static void uring_exchange(struct uring *uring, struct pair pair)
{
    static char bytes[5000];
    struct io_uring_sqe entry = {.fd = pair.client, .addr = (uintptr_t)bytes};

    for (unsigned int i = 0; i < 10; i++) {
        entry.opcode = i % 2 ? IORING_OP_SEND : IORING_OP_WRITE;
        entry.fd = pair.client;
        entry.len = 1000 + i;
        sent(pair.client, uring_run(uring, entry));
        entry.opcode = i % 2 ? IORING_OP_RECV : IORING_OP_READ;
        entry.fd = pair.server;
        entry.len = sizeof(bytes);
        received(pair.server, uring_run(uring, entry));
    }
}

static void io_uring(void)
{
    struct uring uring;

    uring_open(&uring);
    uring_exchange(&uring, stream_pair(IPPROTO_TCP));
    uring_exchange(&uring, datagram_pair(IPPROTO_UDP));
}

static void io_uring_peers(void)
{
    struct sockaddr_storage addresses[2], from;
    char bytes[500] = "";
    struct iovec part = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_name = &from, .msg_iov = &part, .msg_iovlen = 1};
    struct io_uring_sqe entry = {.addr = (uintptr_t)&message, .len = 1};
    struct uring uring;
    socklen_t size = 0;
    int fds[2];

    uring_open(&uring);
    for (unsigned int i = 0; i < 2; i++) {
        fds[i] = socket(family(), SOCK_DGRAM, 0);
        size = loopback(&addresses[i], 0);
        if (bind(fds[i], (struct sockaddr *)&addresses[i], size) < 0 ||
            getsockname(fds[i], (struct sockaddr *)&addresses[i], &size) < 0)
            fail("bind");
    }
    for (unsigned int i = 0; i < 20; i++) {
        entry.opcode = IORING_OP_SENDMSG;
        entry.fd = fds[i % 2];
        message.msg_name = &addresses[1 - i % 2];
        message.msg_namelen = size;
        part.iov_len = 100 + i;
        sent(entry.fd, uring_run(&uring, entry));
        entry.opcode = IORING_OP_RECVMSG;
        entry.fd = fds[1 - i % 2];
        message.msg_name = &from;
        message.msg_namelen = sizeof(from);
        part.iov_len = sizeof(bytes);
        received(entry.fd, uring_run(&uring, entry));
    }
}

/* --- older than the counting: what is before the line on standard input does not count --- */

static void wait_for_line(void)
{
    char byte = 0;

    printf("{\"ready\":true}\n");
    fflush(stdout);
    while (byte != '\n' && read(STDIN_FILENO, &byte, 1) == 1)
        ;
}

static void splice_some(struct pair pair, bool counted)
{
    static char bytes[3000];
    int pipe_fds[2];
    ssize_t n = send(pair.client, bytes, sizeof(bytes), 0);

    if (pipe(pipe_fds) < 0)
        fail("pipe");
    if (counted)
        sent(pair.client, n);
    for (ssize_t rest = (ssize_t)sizeof(bytes); rest > 0; rest -= n) {
        n = splice(pair.server, NULL, pipe_fds[1], NULL, (size_t)rest, 0);
        if (counted)
            received(pair.server, n);
        if (n <= 0 || read(pipe_fds[0], bytes, (size_t)n) != n)
            fail("pipe");
    }
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void older(void)
{
    struct pair streams[] = {stream_pair(IPPROTO_TCP), stream_pair(IPPROTO_TCP),
                             datagram_pair(IPPROTO_UDP)};
    char bytes[9999] = "";

    for (size_t i = 0; i < 3; i++) {
        if (send(streams[i].client, bytes, sizeof(bytes), 0) != sizeof(bytes) ||
            (i != 1 && recv(streams[i].server, bytes, sizeof(bytes), MSG_WAITALL) <= 0))
            fail("before");
    }
    splice_some(streams[0], false);
    wait_for_line();
    receive_bytes(streams[1].server, sizeof(bytes)); /* came before, is read now */
    for (size_t i = 0; i < 3; i++)
        exchange(streams[i], 4000);
    splice_some(streams[0], true);
}

/* Alive, and looked at more than once. */
static void long_splice(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);

    splice_some(pair, true);
    splice_some(pair, true);
    wait_for_line();
    exchange(pair, 4000);
    splice_some(pair, true);
}

/* One call that lasts: most of it is taken in before the line, the rest after it. */
static void send_at_once(void *argument)
{
    const struct pair *pair = argument;
    static char bytes[LONG_SEND];

    close(pair->server);
    sent(pair->client, send(pair->client, bytes, sizeof(bytes), 0));
}

static void long_send(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    int room = 1 << 17;

    if (setsockopt(pair.server, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) < 0)
        fail("SO_RCVBUF");
    start(send_at_once, &pair);
    close(pair.client);
    receive_bytes(pair.server, LONG_SEND / 2);
    wait_for_line();
    receive_bytes(pair.server, LONG_SEND - LONG_SEND / 2);
    wait_for_all();
}

/* Two processes use a socket, and one of them splices. */
static void splice_and_exit(void *argument)
{
    const struct pair *pair = argument;

    receive_bytes(pair->server, 100);
    splice_some(*pair, true);
}

static void shared_splice(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);

    exchange(pair, 50);
    send_bytes(pair.client, 100);
    start(splice_and_exit, &pair);
    wait_for_all();
    wait_for_line();
}

/* Sockets of UDP come and go until the line; then there are none any more. */
static void short_datagrams(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    printf("{\"ready\":true}\n");
    fflush(stdout);
    while (poll(&input, 1, 0) == 0) { /* not so many that they are folded before they are seen */
        struct pair pair = datagram_pair(IPPROTO_UDP);

        usleep(200);

        exchange(pair, 100);
        close(pair.client);
        close(pair.server);
    }
    if (read(STDIN_FILENO, (char[1]){0}, 1) == 1)
        wait_for_line();
}

const struct situation other_situations[] = {
    {"io-uring", io_uring},
    {"io-uring-peers", io_uring_peers},
    {"older", older},
    {"long-splice", long_splice},
    {"long-send", long_send},
    {"shared-splice", shared_splice},
    {"short-datagrams", short_datagrams},
    {0},
};
