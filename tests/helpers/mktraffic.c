/* SPDX-License-Identifier: MIT */
/* Makes traffic of one kind, and prints what each thread moved by each socket, as it counted
 * itself. */
#include "mktraffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRUTHS_MAX 262144

struct truth {
    uint64_t cookie, rx, tx;
    int pid, tid;
};

/* In memory that all processes share. */
struct truths {
    atomic_uint count;
    struct truth all[TRUTHS_MAX];
};

static struct truths *truths;
static int chosen_family = AF_INET;
static unsigned int chosen_times = 1000;

void fail(const char *what)
{
    fprintf(stderr, "mktraffic: %s: %s\n", what, strerror(errno));
    exit(1);
}

void skip(const char *what)
{
    printf("{\"skip\":\"%s: %s\"}\n", what, strerror(errno));
    exit(0);
}

int family(void)
{
    return chosen_family;
}

unsigned int times(void)
{
    return chosen_times;
}

/* A thread writes to its own entries only. */
static void count(int fd, uint64_t rx, uint64_t tx)
{
    static _Thread_local struct truth *last;
    socklen_t size = sizeof(uint64_t);
    uint64_t cookie;
    unsigned int index;

    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0)
        fail("SO_COOKIE");
    if (!last || last->cookie != cookie || last->tid != gettid()) {
        index = atomic_fetch_add(&truths->count, 1);
        if (index >= TRUTHS_MAX)
            fail("too many truths");
        last = &truths->all[index];
        *last = (struct truth){.cookie = cookie, .pid = getpid(), .tid = gettid()};
    }
    last->rx += rx;
    last->tx += tx;
}

void sent(int fd, ssize_t n)
{
    if (n < 0)
        fail("send");
    count(fd, 0, (uint64_t)n);
}

void received(int fd, ssize_t n)
{
    if (n < 0)
        fail("receive");
    count(fd, (uint64_t)n, 0);
}

socklen_t loopback(struct sockaddr_storage *ret_address, unsigned int port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_address;

    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->ss_family = (sa_family_t)family();
    if (family() == AF_INET6) {
        in6->sin6_addr = in6addr_loopback;
        in6->sin6_port = htons((uint16_t)port);
        return sizeof(*in6);
    }
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons((uint16_t)port);
    return sizeof(*in);
}

int listener(int protocol, bool reuseport)
{
    struct sockaddr_storage address;
    socklen_t size = loopback(&address, reuseport ? 7777 : 0);
    int fd = socket(family(), SOCK_STREAM, protocol), one = 1;

    if (fd < 0)
        skip("socket");
    if (reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
        fail("SO_REUSEPORT");
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 1024) < 0)
        fail("listen");
    return fd;
}

int connect_to(int listening, int protocol)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    int fd = socket(family(), SOCK_STREAM, protocol);

    if (fd < 0 || getsockname(listening, (struct sockaddr *)&address, &size) < 0 ||
        connect(fd, (struct sockaddr *)&address, size) < 0)
        fail("connect");
    return fd;
}

struct pair stream_pair(int protocol)
{
    struct pair pair;
    int fd = listener(protocol, false);

    pair.client = connect_to(fd, protocol);
    pair.server = accept(fd, NULL, NULL);
    if (pair.server < 0)
        fail("accept");
    close(fd);
    return pair;
}

static int bound_datagram(int protocol, struct sockaddr_storage *ret_address, socklen_t *ret_size)
{
    int fd = socket(family(), SOCK_DGRAM, protocol);

    *ret_size = loopback(ret_address, 0);
    if (fd < 0)
        skip("socket");
    if (bind(fd, (struct sockaddr *)ret_address, *ret_size) < 0 ||
        getsockname(fd, (struct sockaddr *)ret_address, ret_size) < 0)
        fail("bind");
    return fd;
}

struct pair datagram_pair(int protocol)
{
    struct sockaddr_storage client, server;
    socklen_t client_size, server_size;
    struct pair pair = {.client = bound_datagram(protocol, &client, &client_size),
                        .server = bound_datagram(protocol, &server, &server_size)};

    if (connect(pair.client, (struct sockaddr *)&server, server_size) < 0 ||
        connect(pair.server, (struct sockaddr *)&client, client_size) < 0)
        fail("connect");
    return pair;
}

void send_bytes(int fd, size_t count)
{
    static const char bytes[65536];

    while (count) {
        ssize_t n = send(fd, bytes, count < sizeof(bytes) ? count : sizeof(bytes), MSG_NOSIGNAL);

        sent(fd, n);
        count -= (size_t)n;
    }
}

void receive_bytes(int fd, size_t count)
{
    char bytes[65536];

    while (count) {
        ssize_t n = recv(fd, bytes, count < sizeof(bytes) ? count : sizeof(bytes), 0);

        if (n == 0)
            errno = EPIPE;
        received(fd, n ? n : -1);
        count -= (size_t)n;
    }
}

void receive_all(int fd)
{
    char bytes[65536];
    ssize_t n;

    do {
        n = recv(fd, bytes, sizeof(bytes), 0);
        received(fd, n);
    } while (n > 0);
}

void exchange(struct pair pair, size_t count)
{
    send_bytes(pair.client, count);
    receive_bytes(pair.server, count);
    send_bytes(pair.server, count / 2);
    receive_bytes(pair.client, count / 2);
}

pid_t start(void (*work)(void *argument), void *argument)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        work(argument);
        _exit(0);
    }
    return pid;
}

void wait_for_all(void)
{
    int status;

    while (wait(&status) > 0)
        if (status)
            exit(1);
}

static const struct situation *find(const char *name)
{
    static const struct situation *const groups[] = {stream_situations, datagram_situations,
                                                     process_situations, other_situations};

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        for (const struct situation *at = groups[i]; at->name; at++)
            if (!name)
                printf("%s\n", at->name);
            else if (!strcmp(at->name, name))
                return at;
    return NULL;
}

static void print_truths(void)
{
    for (unsigned int i = 0; i < truths->count; i++)
        printf("{\"cookie\":%llu,\"pid\":%d,\"tid\":%d,\"rx\":%llu,\"tx\":%llu}\n",
               (unsigned long long)truths->all[i].cookie, truths->all[i].pid, truths->all[i].tid,
               (unsigned long long)truths->all[i].rx, (unsigned long long)truths->all[i].tx);
}

int main(int argc, char **argv)
{
    const struct situation *situation = find(argc > 1 ? argv[1] : NULL);

    if (!situation)
        return argc > 1 ? 2 : 0;
    for (int i = 2; i < argc; i++)
        if (!strcmp(argv[i], "family=6"))
            chosen_family = AF_INET6;
        else if (!strncmp(argv[i], "times=", 6))
            chosen_times = (unsigned int)strtoul(argv[i] + 6, NULL, 10);
    truths = mmap(NULL, sizeof(*truths), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (truths == MAP_FAILED)
        fail("mmap");
    situation->make();
    print_truths();
    return 0;
}
