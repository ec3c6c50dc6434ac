/* SPDX-License-Identifier: MIT */
/* churn: long-lived TCP connections beside others that come and go as fast as the kernel can. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 64
#define RESERVED_FDS 64
#define LONG_NET 0x7f010000U  /* 127.1.0.0: listeners of the long-lived connections */
#define LONG_FROM 0x7f020000U /* 127.2.0.0: their clients */
#define SHORT_NET 0x7f030000U /* 127.3.0.0: the short-lived ones, one address a thread */
#define PER_SOURCE 5000       /* connections from one source address */

/* A long-lived connection as its holder tells it; it is two sockets, one each way. */
struct connection {
    struct sockaddr_in client;
    struct sockaddr_in server;
};

struct churner {
    pthread_t thread;
    struct sockaddr_in to;
    int listener;
    const atomic_bool *stop;
    uint64_t connects;
    int error;
};

static int fail(const char *what)
{
    fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
    return -1;
}

static struct sockaddr_in address(uint32_t host)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    return in;
}

/* Both ends reset instead of waiting, so that no port stays in use behind a closed connection. */
static void reset_on_close(int fd)
{
    const struct linger none = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static int open_listener(uint32_t host, struct sockaddr_in *ret_addr)
{
    socklen_t length = sizeof(*ret_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail("socket");
    *ret_addr = address(host);
    reset_on_close(fd);
    if (bind(fd, (struct sockaddr *)ret_addr, sizeof(*ret_addr)) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)ret_addr, &length) < 0)
        return fail("listener");
    return fd;
}

static int open_long(int listener, const struct sockaddr_in *to, uint32_t from,
                     struct connection *ret_connection)
{
    const int on = 1;
    struct sockaddr_in source = address(from);
    socklen_t length = sizeof(source);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail("socket");
    reset_on_close(fd);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&source, sizeof(source)) < 0)
        return fail("bind");
    if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
        return fail("connect");
    if (accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0)
        return fail("accept");
    if (getsockname(fd, (struct sockaddr *)&source, &length) < 0)
        return fail("getsockname");
    *ret_connection = (struct connection){source, *to};
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

static int write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0)
            return fail("write");
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

/* One process with its share of the long-lived connections; it ends when `control` closes. */
static int hold(unsigned number, size_t count, int report, int control)
{
    struct sockaddr_in to;
    int listener = open_listener(LONG_NET + number + 1, &to);
    if (listener < 0)
        return 1;
    for (size_t i = 0; i < count; i++) {
        struct connection connection;
        uint32_t from = LONG_FROM + (number << 8) + 1 + (uint32_t)(i / PER_SOURCE);
        if (open_long(listener, &to, from, &connection) < 0 ||
            write_all(report, &connection, sizeof(connection)) < 0)
            return 1;
    }
    (void)close(report);
    wait_for_end(control);
    return 0;
}

static void print_end(const struct sockaddr_in *addr)
{
    char text[INET_ADDRSTRLEN] = "";
    (void)inet_ntop(AF_INET, &addr->sin_addr, text, sizeof(text));
    printf("\"%s\",%u", text, ntohs(addr->sin_port));
}

/* Prints what one holder reports; returns how many connections that were. */
static size_t print_connections(int report, size_t before)
{
    struct connection connection;
    size_t count = 0;
    FILE *in = fdopen(report, "r");
    while (in && fread(&connection, sizeof(connection), 1, in) == 1) {
        printf("%s[", before + count ? "," : "");
        print_end(&connection.client);
        putchar(',');
        print_end(&connection.server);
        putchar(']');
        count++;
    }
    if (in)
        (void)fclose(in);
    return count;
}

/* Starts one holder and waits for it; `control` is the pipe whose end ends it. */
static int start_holder(unsigned number, size_t count, const int *control, size_t before)
{
    int report[2];
    pid_t parent = getpid();
    (void)fflush(stdout);
    if (pipe(report) < 0)
        return fail("pipe");
    pid_t pid = fork();
    if (pid < 0)
        return fail("fork");
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
            _exit(1);
        (void)close(report[0]);
        (void)close(control[1]);
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        _exit(hold(number, count, report[1], control[0]));
    }
    (void)close(report[1]);
    return print_connections(report[0], before) == count ? 0 : -1;
}

static int start_holders(size_t total, const int *control)
{
    struct rlimit limit = {.rlim_max = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    size_t each = (limit.rlim_max - RESERVED_FDS) / 2;
    size_t done = 0;
    printf("{\"long\":%zu,\"connections\":[", total);
    for (unsigned number = 0; done < total; number++) {
        size_t count = total - done < each ? total - done : each;
        if (start_holder(number, count, control, done) < 0)
            return -1;
        done += count;
    }
    printf("]}\nready\n");
    (void)fflush(stdout);
    return 0;
}

static int connect_once(const struct churner *churner)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail("socket");
    reset_on_close(fd);
    if (connect(fd, (const struct sockaddr *)&churner->to, sizeof(churner->to)) < 0)
        return fail("connect");
    int server = accept4(churner->listener, NULL, NULL, SOCK_CLOEXEC);
    if (server < 0)
        return fail("accept");
    (void)close(fd);
    (void)close(server);
    return 0;
}

static void *run_churner(void *context)
{
    struct churner *churner = context;
    while (!atomic_load_explicit(churner->stop, memory_order_relaxed)) {
        churner->error = connect_once(churner);
        if (churner->error < 0)
            break;
        churner->connects++;
    }
    return NULL;
}

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int start_churners(struct churner *churners, size_t count, const atomic_bool *stop)
{
    for (size_t i = 0; i < count; i++) {
        struct churner *churner = &churners[i];
        churner->stop = stop;
        churner->listener = open_listener(SHORT_NET + 1 + (uint32_t)i, &churner->to);
        if (churner->listener < 0)
            return -1;
        if (pthread_create(&churner->thread, NULL, run_churner, churner) != 0)
            return fail("pthread_create");
    }
    return 0;
}

static int churn(size_t threads)
{
    struct churner churners[MAX_THREADS] = {0};
    atomic_bool stop = false;
    uint64_t connects = 0;
    int error = 0;
    double start = seconds_now();
    if (start_churners(churners, threads, &stop) < 0)
        return -1;
    wait_for_end(STDIN_FILENO);
    atomic_store(&stop, true);
    for (size_t i = 0; i < threads; i++) {
        (void)pthread_join(churners[i].thread, NULL);
        connects += churners[i].connects;
        error |= churners[i].error;
    }
    printf("{\"connects\":%" PRIu64 ",\"seconds\":%.3f}\n", connects, seconds_now() - start);
    return error;
}

static bool option(const char *word, const char *key, size_t *value)
{
    size_t length = strlen(key);
    if (strncmp(word, key, length) != 0 || word[length] != '=')
        return false;
    *value = strtoul(word + length + 1, NULL, 10);
    return true;
}

int main(int argc, char **argv)
{
    size_t total = 1000;
    size_t threads = 2;
    int control[2];
    for (int i = 1; i < argc; i++) {
        if (!option(argv[i], "long", &total) && !option(argv[i], "threads", &threads)) {
            fprintf(stderr, "usage: churn [long=CONNECTIONS] [threads=T]\n");
            return 1;
        }
    }
    if (threads > MAX_THREADS || pipe(control) < 0)
        return 1;
    if (start_holders(total, control) < 0)
        return 1;
    int rc = churn(threads) < 0 ? 1 : 0;
    (void)close(control[1]);
    while (wait(NULL) > 0)
        continue;
    return rc;
}
