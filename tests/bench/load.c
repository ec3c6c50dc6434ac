/* SPDX-License-Identifier: MIT */
/* load: one kind of traffic at full speed; prints what each operation took of the processor. */
/*
 * load udp N: N datagrams of 18 bytes over loopback, sent in bursts that the receiver then reads;
 * prints nanoseconds of CPU for each send and for each receive.
 * load udp N ADDRESS: the same to an address where nobody receives; prints 0 for the receive.
 * load connect N: N connections, one after the other, that are opened and closed; prints
 * nanoseconds of CPU for each, and of the clock.
 *
 * It does all of that again for each line of standard input.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 64
#define KEPT 16384 /* bursts whose time is looked at: the last ones */
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

/* Whether it is to be done again. */
static bool another(void)
{
    char line[8];

    fflush(stdout);
    return fgets(line, sizeof(line), stdin) != NULL;
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

static int connect_nowhere(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || inet_pton(AF_INET, text, &address.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return fd;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Of the tenth of the bursts that was disturbed least. */
static double quickest(double *bursts, long count)
{
    count = count < KEPT ? count : KEPT;
    qsort(bursts, (size_t)count, sizeof(*bursts), compare);
    return bursts[count / 10] / BURST;
}

/* `server`: -1: nobody receives. */
static int send_bursts(int client, int server, long count, double *sending, double *receiving)
{
    char bytes[DATAGRAM] = "";

    for (long i = 0; i < count; i++) {
        double start = now(CLOCK_THREAD_CPUTIME_ID), middle;

        for (int j = 0; j < BURST; j++)
            if (send(client, bytes, sizeof(bytes), 0) < 0)
                return fail("send");
        middle = now(CLOCK_THREAD_CPUTIME_ID);
        for (int j = 0; j < BURST && server >= 0; j++)
            if (recv(server, bytes, sizeof(bytes), 0) < 0)
                return fail("recv");
        sending[i % KEPT] = middle - start;
        receiving[i % KEPT] = server < 0 ? 0 : now(CLOCK_THREAD_CPUTIME_ID) - middle;
    }
    return 0;
}

/* The same sockets each time: where their memory is makes more of a difference than what is
 * measured. */
static int datagrams(long count, const char *address)
{
    int server = address ? -1 : bound(SOCK_DGRAM);
    int client = address ? connect_nowhere(address) : connect_to(server, SOCK_DGRAM);
    long bursts = (count + BURST - 1) / BURST;
    double *sending = calloc(KEPT, sizeof(*sending));
    double *receiving = calloc(KEPT, sizeof(*receiving));
    int r = client < 0 || !sending || !receiving ? fail("socket") : 0;

    do {
        r = r ? r : send_bursts(client, server, bursts, sending, receiving);
        if (r == 0)
            printf("%.1f %.1f\n", quickest(sending, bursts), quickest(receiving, bursts));
    } while (r == 0 && another());
    free(sending);
    free(receiving);
    return r;
}

static int open_and_close(int listener)
{
    int client = connect_to(listener, SOCK_STREAM), server;
    char byte = 0;

    server = client < 0 ? -1 : accept(listener, NULL, NULL);
    if (server < 0 || send(client, &byte, 1, 0) != 1 || recv(server, &byte, 1, 0) != 1)
        return fail("connection");
    close(server);
    close(client);
    return 0;
}

static int connections(long count)
{
    int listener = bound(SOCK_STREAM);

    if (listener < 0 || listen(listener, 16) < 0)
        return fail("listen");
    do {
        double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);

        for (long i = 0; i < count; i++)
            if (open_and_close(listener))
                return 1;
        printf("%.1f %.1f\n", (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)count,
               (now(CLOCK_MONOTONIC) - wall) / (double)count);
    } while (another());
    return 0;
}

int main(int argc, char **argv)
{
    cpu_set_t one;
    long count = argc < 3 ? 0 : strtol(argv[2], NULL, 10);

    if (argc < 3 || argc > 4 || count < 1)
        return 2;
    CPU_ZERO(&one);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
    if (sched_setaffinity(0, sizeof(one), &one) < 0)
        return fail("affinity");
    return strcmp(argv[1], "udp") == 0 ? datagrams(count, argc == 4 ? argv[3] : NULL)
                                       : connections(count);
}
