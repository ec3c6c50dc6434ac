/* SPDX-License-Identifier: MIT */
/* steady: a load at a pace that does not depend on the machine, for what runs beside it. */
/*
 * steady rate N: N connections a second over loopback, each with a question of 100 bytes and an
 * answer of 1000; those who ask are 16 addresses. It closes as servers of HTTP do, so that there
 * are as many in time-wait as such a rate makes.
 * steady hold PORT N: listens at 127.0.0.1:PORT, TCP and UDP, holds N connections to itself, and
 * each second sends itself some bytes through all of them, opens and closes another one, and sends
 * itself a datagram.
 *
 * Both print "ready", and at the end of standard input how many connections were made, and the
 * seconds since.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENT_NET 0x7f500000U /* 127.80.0.0/12 */
#define CLIENTS 16
#define QUESTION 100
#define ANSWER 1000
#define SECOND_NS 1000000000L

struct connection {
    int client, server;
};

static int fail(const char *what)
{
    fprintf(stderr, "steady: %s: %s\n", what, strerror(errno));
    return -1;
}

static struct sockaddr_in address(uint32_t host, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    in.sin_addr.s_addr = htonl(host);
    return in;
}

static int open_bound(int type, uint16_t port)
{
    struct sockaddr_in in = address(INADDR_LOOPBACK, port);
    int fd = socket(AF_INET, type, 0), one = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
        return fail("bind");
    return fd;
}

static int open_listener(uint16_t port)
{
    int fd = open_bound(SOCK_STREAM, port);

    return fd < 0 || listen(fd, 128) == 0 ? fd : fail("listen");
}

static int open_connection(int listener, uint32_t from, struct connection *ret_connection)
{
    struct sockaddr_in to, in = address(CLIENT_NET + 1 + from % CLIENTS, 0);
    socklen_t size = sizeof(to);
    int client = socket(AF_INET, SOCK_STREAM, 0), server, one = 1;

    if (client < 0 || getsockname(listener, (struct sockaddr *)&to, &size) < 0 ||
        setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) < 0 ||
        bind(client, (struct sockaddr *)&in, sizeof(in)) < 0 ||
        connect(client, (struct sockaddr *)&to, sizeof(to)) < 0)
        return fail("connect");
    server = accept(listener, NULL, NULL);
    if (server < 0)
        return fail("accept");
    *ret_connection = (struct connection){client, server};
    return 0;
}

static int pass(int from, int to, size_t length)
{
    static char bytes[ANSWER];

    if (send(from, bytes, length, 0) != (ssize_t)length ||
        recv(to, bytes, length, MSG_WAITALL) != (ssize_t)length)
        return fail("bytes");
    return 0;
}

static int ask(const struct connection *connection)
{
    int r = pass(connection->client, connection->server, QUESTION);

    return r < 0 ? r : pass(connection->server, connection->client, ANSWER);
}

static int ask_once(int listener, uint32_t from)
{
    struct connection connection;
    int r = open_connection(listener, from, &connection);

    if (r < 0)
        return r;
    r = ask(&connection);
    close(connection.server);
    close(connection.client);
    return r;
}

static struct timespec later(struct timespec time, long ns)
{
    time.tv_nsec += ns;
    time.tv_sec += time.tv_nsec / SECOND_NS;
    time.tv_nsec %= SECOND_NS;
    return time;
}

static bool is_over(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&input, 1, 0) != 0;
}

/* Does `ask_all` again and again, a beat apart; late ones follow at once. */
static int go_on(int listener, long beat_ns, int (*ask_all)(int listener, uint32_t i))
{
    struct timespec start, next;
    uint32_t count = 0;
    int r = 0;

    puts("ready");
    fflush(stdout);
    clock_gettime(CLOCK_MONOTONIC, &start);
    next = start;
    while (r == 0 && !is_over()) {
        r = ask_all(listener, count++);
        next = later(next, beat_ns);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &next);
    printf("%u %.3f\n", count,
           (double)(next.tv_sec - start.tv_sec) + (double)(next.tv_nsec - start.tv_nsec) / 1e9);
    return r < 0;
}

static struct connection *held;
static size_t held_count;
static int datagrams;

static int ask_held(int listener, uint32_t i)
{
    int r = ask_once(listener, i);

    for (size_t k = 0; k < held_count && r == 0; k++)
        r = ask(&held[k]);
    return r < 0 ? r : pass(datagrams, datagrams, QUESTION);
}

static int hold(uint16_t port, size_t count)
{
    struct sockaddr_in own = address(INADDR_LOOPBACK, port);
    int listener = open_listener(port), r;

    datagrams = open_bound(SOCK_DGRAM, port);
    held = calloc(count + 1, sizeof(*held));
    if (!held || connect(datagrams, (struct sockaddr *)&own, sizeof(own)) < 0)
        return fail("hold");
    r = listener;
    for (; r >= 0 && held_count < count; held_count++)
        r = open_connection(listener, (uint32_t)held_count, &held[held_count]);
    r = r < 0 ? 1 : go_on(listener, SECOND_NS, ask_held);
    free(held);
    return r;
}

int main(int argc, char **argv)
{
    long first = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    long count = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    bool is_rate = argc == 3 && strcmp(argv[1], "rate") == 0;

    if (first < 1 || first > 65535 || count < 0 || (!is_rate && argc != 4)) {
        fputs("usage: steady rate N | hold PORT N\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (is_rate) {
        int listener = open_listener(0);

        return listener < 0 ? 1 : go_on(listener, SECOND_NS / first, ask_once);
    }
    return hold((uint16_t)first, (size_t)count);
}
