/* SPDX-License-Identifier: MIT */
/* load: one kind of traffic at full speed; prints what each operation took of the processor. */
/*
 * load udp N: N datagrams of 18 bytes, sent in bursts that the receiver then reads; prints
 * nanoseconds of CPU for each send and for each receive.
 * load connect N: N connections, one after the other, that are opened and closed; prints
 * nanoseconds of CPU for each, and of the clock.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 64
#define DATAGRAM 18

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static double now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int bound(int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return fd;
}

static int connect_to(int server, int type)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, type, 0);

    if (fd < 0 || getsockname(server, (struct sockaddr *)&address, &size) < 0 ||
        connect(fd, (struct sockaddr *)&address, size) < 0)
        return -1;
    return fd;
}

static int datagrams(long count)
{
    int server = bound(SOCK_DGRAM), client = server < 0 ? -1 : connect_to(server, SOCK_DGRAM);
    double sending = 0, receiving = 0;
    char bytes[DATAGRAM] = "";

    if (client < 0)
        return fail("socket");
    for (long i = 0; i < count; i += BURST) {
        double start = now(CLOCK_THREAD_CPUTIME_ID), middle;

        for (int j = 0; j < BURST; j++)
            if (send(client, bytes, sizeof(bytes), 0) < 0)
                return fail("send");
        middle = now(CLOCK_THREAD_CPUTIME_ID);
        for (int j = 0; j < BURST; j++)
            if (recv(server, bytes, sizeof(bytes), 0) < 0)
                return fail("recv");
        sending += middle - start;
        receiving += now(CLOCK_THREAD_CPUTIME_ID) - middle;
    }
    count = (count + BURST - 1) / BURST * BURST;
    printf("%.1f %.1f\n", sending / (double)count, receiving / (double)count);
    return 0;
}

static int connections(long count)
{
    int listener = bound(SOCK_STREAM);
    double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);

    if (listener < 0 || listen(listener, 16) < 0)
        return fail("listen");
    for (long i = 0; i < count; i++) {
        int client = connect_to(listener, SOCK_STREAM), server;
        char byte = 0;

        server = client < 0 ? -1 : accept(listener, NULL, NULL);
        if (server < 0 || send(client, &byte, 1, 0) != 1 || recv(server, &byte, 1, 0) != 1)
            return fail("connection");
        close(server);
        close(client);
    }
    printf("%.1f %.1f\n", (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)count,
           (now(CLOCK_MONOTONIC) - wall) / (double)count);
    return 0;
}

int main(int argc, char **argv)
{
    cpu_set_t one;

    if (argc != 3)
        return 2;
    CPU_ZERO(&one);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
    if (sched_setaffinity(0, sizeof(one), &one) < 0)
        return fail("affinity");
    return strcmp(argv[1], "udp") == 0 ? datagrams(strtol(argv[2], NULL, 10))
                                       : connections(strtol(argv[2], NULL, 10));
}
