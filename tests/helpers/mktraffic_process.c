/* SPDX-License-Identifier: MIT */
/* mktraffic: who uses a socket: threads, children, workers, strangers. */
#include "mktraffic.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define WORKERS 4

/* --- threads --- */

struct turn {
    struct pair pair;
    size_t bytes;
};

static void *send_and_receive(void *argument)
{
    const struct turn *turn = argument;

    send_bytes(turn->pair.client, turn->bytes);
    receive_bytes(turn->pair.server, 1000);
    return NULL;
}

/* All on one socket, each its own share. */
static void threads(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);
    struct turn turns[WORKERS];
    pthread_t threads[WORKERS];

    for (size_t i = 0; i < WORKERS; i++) {
        turns[i] = (struct turn){pair, 1000 * (i + 1)};
        if (pthread_create(&threads[i], NULL, send_and_receive, &turns[i]) != 0)
            fail("thread");
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    receive_bytes(pair.server, 10000 - 1000 * WORKERS);
}

static void *exchange_once(void *argument)
{
    exchange(*(struct pair *)argument, 3000);
    return NULL;
}

/* Each has sockets of its own, and ends before anybody looks. */
static void short_threads(void)
{
    struct pair pairs[WORKERS];
    pthread_t thread;

    for (size_t i = 0; i < WORKERS; i++) {
        pairs[i] = i % 2 ? stream_pair(IPPROTO_TCP) : datagram_pair(IPPROTO_UDP);
        if (pthread_create(&thread, NULL, exchange_once, &pairs[i]) != 0)
            fail("thread");
        pthread_join(thread, NULL);
    }
}

/* --- processes --- */

static void serve_connection(void *argument)
{
    int fd = *(int *)argument;

    receive_bytes(fd, 5000);
    send_bytes(fd, 2500);
}

/* The parent accepts, a child talks, and the parent keeps the descriptor. */
static void fork_after_accept(void)
{
    for (int i = 0; i < WORKERS; i++) {
        struct pair pair = stream_pair(IPPROTO_TCP);

        start(serve_connection, &pair.server);
        send_bytes(pair.client, 5000);
        receive_bytes(pair.client, 2500);
    }
    wait_for_all();
}

static void serve_one(void *argument)
{
    int fd = accept(*(int *)argument, NULL, NULL);

    if (fd < 0)
        fail("accept");
    serve_connection(&fd);
}

static void ask(int listening)
{
    int fd = connect_to(listening, IPPROTO_TCP);

    send_bytes(fd, 5000);
    receive_bytes(fd, 2500);
    close(fd);
}

static void prefork(void)
{
    int listening = listener(IPPROTO_TCP, false);

    for (int i = 0; i < WORKERS; i++)
        start(serve_one, &listening);
    for (int i = 0; i < WORKERS; i++)
        ask(listening);
    wait_for_all();
}

/* Each worker has its own listener on one port; the kernel chooses. */
static void reuseport(void)
{
    int listening[WORKERS];

    for (int i = 0; i < WORKERS; i++)
        listening[i] = listener(IPPROTO_TCP, true);
    for (int i = 0; i < WORKERS; i++) {
        int client = connect_to(listening[0], IPPROTO_TCP);
        fd_set waiting;
        int highest = 0;

        FD_ZERO(&waiting);
        for (int j = 0; j < WORKERS; j++) {
            FD_SET(listening[j], &waiting);
            highest = listening[j] > highest ? listening[j] : highest;
        }
        if (select(highest + 1, &waiting, NULL, NULL, NULL) < 0)
            fail("select");
        for (int j = 0; j < WORKERS; j++)
            if (FD_ISSET(listening[j], &waiting))
                start(serve_one, &listening[j]);
        send_bytes(client, 5000);
        receive_bytes(client, 2500);
        wait_for_all();
        close(client);
    }
}

/* A process that was given nothing but one end of a unix socket. */
static void use_what_comes(void *argument)
{
    char control[CMSG_SPACE(sizeof(int))], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int fd;

    if (recvmsg(*(int *)argument, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
        fail("recvmsg");
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    send_bytes(fd, 4321);
}

static void passed_descriptor(void)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof(int))}};
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct pair pair;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        fail("socketpair");
    start(use_what_comes, &ends[1]);
    pair = stream_pair(IPPROTO_TCP); /* after the fork: the child does not have it */
    send_bytes(pair.client, 1234);
    memcpy(CMSG_DATA(&control.header), &pair.client, sizeof(int));
    if (sendmsg(ends[0], &message, 0) != 1)
        fail("sendmsg");
    close(pair.client);
    receive_bytes(pair.server, 1234 + 4321);
    wait_for_all();
}

/* As a service that is started for a connection: the socket is its standard input and output. */
static void use_standard_input(void *argument)
{
    (void)argument;
    receive_bytes(STDIN_FILENO, 600);
    send_bytes(STDIN_FILENO, 60);
}

static void inherited(void)
{
    struct pair pair = stream_pair(IPPROTO_TCP);

    if (dup2(pair.server, STDIN_FILENO) < 0)
        fail("dup2");
    close(pair.server);
    start(use_standard_input, NULL);
    close(STDIN_FILENO);
    send_bytes(pair.client, 600);
    receive_bytes(pair.client, 60);
    wait_for_all();
}

/* A child has the socket all the time and does nothing with it. */
static void hold_until_the_end(void *argument)
{
    char byte;

    close(((int *)argument)[1]);
    if (read(((int *)argument)[0], &byte, 1) != 0)
        fail("pipe");
}

static void idle_child(void)
{
    struct pair pairs[] = {stream_pair(IPPROTO_TCP), datagram_pair(IPPROTO_UDP)};
    int ends[2];

    if (pipe(ends) < 0)
        fail("pipe");
    start(hold_until_the_end, ends);
    for (size_t i = 0; i < 2; i++)
        exchange(pairs[i], 5000);
    close(ends[1]);
    wait_for_all();
}

/* Each socket is busy for a while, then another is, and all come again. */
static void take_turns(void *argument)
{
    struct pair pairs[100];

    (void)argument;
    for (size_t i = 0; i < 100; i++)
        pairs[i] = datagram_pair(IPPROTO_UDP);
    for (unsigned int i = 0; i < times(); i++)
        for (unsigned int j = 0; j < 5 + i % 20; j++)
            exchange(pairs[(i * 7) % 100], 10 + j);
}

static void turns(void)
{
    start(take_turns, NULL);
    start(take_turns, NULL);
    wait_for_all();
}

/* --- short lives --- */

static void send_and_exit(void *argument)
{
    send_bytes(*(int *)argument, 777);
}

static void exit_after_send(void)
{
    for (int i = 0; i < 50; i++) {
        struct pair pair = i % 2 ? stream_pair(IPPROTO_TCP) : datagram_pair(IPPROTO_UDP);

        start(send_and_exit, &pair.client);
        close(pair.client);
        wait_for_all();
        receive_bytes(pair.server, 777);
        close(pair.server);
    }
}

static void connect_often(void *argument)
{
    (void)argument;
    for (unsigned int i = 0; i < times(); i++) {
        struct pair pair = stream_pair(IPPROTO_TCP);

        exchange(pair, 100 + i % 10);
        close(pair.client);
        close(pair.server);
    }
}

static void short_connections(void)
{
    start(connect_often, NULL);
    start(connect_often, NULL);
    wait_for_all();
}

const struct situation process_situations[] = {
    {"threads", threads},
    {"short-threads", short_threads},
    {"fork-after-accept", fork_after_accept},
    {"prefork", prefork},
    {"reuseport", reuseport},
    {"passed-descriptor", passed_descriptor},
    {"inherited", inherited},
    {"idle-child", idle_child},
    {"turns", turns},
    {"exit-after-send", exit_after_send},
    {"short-connections", short_connections},
    {0},
};
