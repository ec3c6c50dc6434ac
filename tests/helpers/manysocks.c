/* SPDX-License-Identifier: MIT */
/* manysocks: very many sockets in several processes and threads, for the bench. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESERVED_FDS 64
#define SERVER_NET 0x7f100000U /* 127.16.0.0/12: where the servers of the processes are */
#define CLIENT_NET 0x7f200000U /* 127.32.0.0/12: their clients */
#define UDP_NET 0x7f300000U    /* 127.48.0.0/12 */
#define LISTEN_NET 0x7f400000U /* 127.64.0.0/12 */
#define PER_ADDRESS 4000       /* sockets on one address, so that ports are found at once */
#define THREAD_STACK 65536

/* What is made: in all, or in one process. */
struct counts {
    size_t tcp; /* both ends of a connection count */
    size_t udp;
    size_t listeners;
    size_t fds;     /* a process: descriptors in all, filled up with /dev/null */
    size_t threads; /* a process: beside the first one */
    size_t processes;
};

static int fail(const char *what)
{
    fprintf(stderr, "manysocks: %s: %s\n", what, strerror(errno));
    return -1;
}

static struct sockaddr_in address(uint32_t host)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    return in;
}

/* Every process has 16 addresses of each net; 65536 processes fit. */
static uint32_t host_of(uint32_t net, size_t process, size_t number)
{
    return net + ((uint32_t)process << 4) + (uint32_t)(number / PER_ADDRESS);
}

/* A reset instead of a farewell: taking all down leaves no time-wait behind. */
static int open_tcp(void)
{
    const struct linger none = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail("socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    return fd;
}

static int open_bound(int type, uint32_t host, struct sockaddr_in *ret_addr)
{
    socklen_t length = sizeof(*ret_addr);
    int fd = type == SOCK_STREAM ? open_tcp() : socket(AF_INET, type | SOCK_CLOEXEC, 0);
    *ret_addr = address(host);
    if (fd < 0 || bind(fd, (struct sockaddr *)ret_addr, sizeof(*ret_addr)) < 0 ||
        getsockname(fd, (struct sockaddr *)ret_addr, &length) < 0)
        return fail("bind");
    return fd;
}

static int connect_from(uint32_t host, const struct sockaddr_in *to)
{
    const int on = 1;
    struct sockaddr_in source = address(host);
    int fd = open_tcp();
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&source, sizeof(source)) < 0)
        return fail("bind");
    if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
        return fail("connect");
    return fd;
}

/* The accepted ends inherit the listener's options. */
static int make_tcp(size_t process, size_t count)
{
    struct sockaddr_in to;
    if (count == 0)
        return 0;
    int listener = open_bound(SOCK_STREAM, host_of(SERVER_NET, process, 0), &to);
    if (listener < 0 || listen(listener, 16) < 0)
        return fail("listen");
    for (size_t i = 0; i < count / 2; i++) {
        if (connect_from(host_of(CLIENT_NET, process, i), &to) < 0)
            return -1;
        if (accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0)
            return fail("accept");
    }
    (void)close(listener);
    return 0;
}

static int make_udp(size_t process, size_t count)
{
    struct sockaddr_in addr;
    for (size_t i = 0; i < count; i++) {
        if (open_bound(SOCK_DGRAM, host_of(UDP_NET, process, i), &addr) < 0)
            return -1;
    }
    return 0;
}

static int make_listeners(size_t process, size_t count)
{
    struct sockaddr_in addr;
    for (size_t i = 0; i < count; i++) {
        int fd = open_bound(SOCK_STREAM, host_of(LISTEN_NET, process, i), &addr);
        if (fd < 0 || listen(fd, 128) < 0)
            return fail("listen");
    }
    return 0;
}

static size_t sockets_of(const struct counts *counts)
{
    return counts->tcp + counts->udp + counts->listeners;
}

/* What the process has besides its sockets: stderr and the two pipes. */
static int fill_up(const struct counts *counts)
{
    for (size_t i = sockets_of(counts) + 3; i < counts->fds; i++) {
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            return fail("/dev/null");
    }
    return 0;
}

static void *sleep_for_ever(void *context)
{
    for (;;)
        (void)pause();
    return context;
}

static int start_threads(size_t count)
{
    pthread_attr_t attributes;
    pthread_t thread;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
    for (size_t i = 0; i < count; i++) {
        errno = pthread_create(&thread, &attributes, sleep_for_ever, NULL);
        if (errno != 0)
            return fail("pthread_create");
    }
    return 0;
}

static void wait_for_end(int fd)
{
    char buffer[256];
    ssize_t n;
    do {
        n = read(fd, buffer, sizeof(buffer));
    } while (n > 0 || (n < 0 && errno == EINTR));
}

static int hold(size_t process, const struct counts *share, int report, int control)
{
    if (make_tcp(process, share->tcp) < 0 || make_udp(process, share->udp) < 0 ||
        make_listeners(process, share->listeners) < 0 || fill_up(share) < 0 ||
        start_threads(share->threads) < 0 || write(report, "", 1) != 1)
        return 1;
    wait_for_end(control);
    return 0;
}

/* Shares add up to the total; connections stay whole. */
static size_t share_of(size_t total, size_t processes, size_t process)
{
    return total / processes + (process < total % processes ? 1 : 0);
}

static struct counts share(const struct counts *all, size_t process)
{
    struct counts mine = *all;
    mine.tcp = 2 * share_of(all->tcp / 2, all->processes, process);
    mine.udp = share_of(all->udp, all->processes, process);
    mine.listeners = share_of(all->listeners, all->processes, process);
    return mine;
}

/* Keeps stderr and its ends of the two pipes only. */
static _Noreturn void run_process(size_t process, const struct counts *all, const int *report,
                                  const int *control, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);
    (void)close(report[0]);
    (void)close(control[1]);
    struct counts mine = share(all, process);
    _exit(hold(process, &mine, report[1], control[0]));
}

/* Each process says one byte when it is done; an early end of the pipe is a failure. */
static int wait_for_all(int report, size_t processes)
{
    char buffer[256];
    size_t done = 0;
    while (done < processes) {
        ssize_t n = read(report, buffer, sizeof(buffer));
        if (n == 0)
            return -1;
        if (n < 0 && errno != EINTR)
            return fail("read");
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int start_all(const struct counts *all, const int *control)
{
    int report[2];
    pid_t parent = getpid();
    if (pipe(report) < 0)
        return fail("pipe");
    for (size_t i = 0; i < all->processes; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return fail("fork");
        if (pid == 0)
            run_process(i, all, report, control, parent);
    }
    (void)close(report[1]);
    int rc = wait_for_all(report[0], all->processes);
    (void)close(report[0]);
    return rc;
}

static size_t descriptor_limit(void)
{
    struct rlimit limit = {.rlim_max = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max - RESERVED_FDS;
}

static bool parse(const char *word, struct counts *counts)
{
    const struct {
        const char *key;
        size_t *value;
    } options[] = {
        {"tcp=", &counts->tcp},         {"udp=", &counts->udp},
        {"fds=", &counts->fds},         {"listeners=", &counts->listeners},
        {"threads=", &counts->threads}, {"processes=", &counts->processes},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        size_t length = strlen(options[i].key);
        if (strncmp(word, options[i].key, length) == 0) {
            *options[i].value = strtoul(word + length, NULL, 10);
            return true;
        }
    }
    return false;
}

static int run(struct counts *all)
{
    int control[2];
    size_t limit = descriptor_limit();
    all->tcp &= ~(size_t)1;
    if (all->processes == 0)
        all->processes = sockets_of(all) / limit + 1;
    if (sockets_of(all) / all->processes > limit || all->fds > limit) {
        fprintf(stderr, "manysocks: a process may have %zu descriptors at most\n", limit);
        return 1;
    }
    if (pipe(control) < 0 || start_all(all, control) < 0)
        return 1;
    printf("{\"tcp\":%zu,\"udp\":%zu,\"listeners\":%zu,\"processes\":%zu,\"threads\":%zu,"
           "\"fds\":%zu}\nready\n",
           all->tcp, all->udp, all->listeners, all->processes, all->threads, all->fds);
    (void)fflush(stdout);
    wait_for_end(STDIN_FILENO);
    (void)close(control[1]);
    while (wait(NULL) > 0)
        continue;
    return 0;
}

int main(int argc, char **argv)
{
    struct counts all = {0};
    for (int i = 1; i < argc; i++) {
        if (!parse(argv[i], &all)) {
            fprintf(stderr, "usage: manysocks [tcp=N] [udp=N] [listeners=N] [processes=P] "
                            "[threads=T] [fds=M]\n");
            return 1;
        }
    }
    return run(&all);
}
