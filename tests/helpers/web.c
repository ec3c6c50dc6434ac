/* SPDX-License-Identifier: MIT */
/* web: a small web server that is as fast as one process can be, for tests that load it. */
/*
 * web PORT: keeps connections, unless the request has "Connection: close".
 * web PORT fork: a process for each connection, as old servers have; it serves one request.
 *
 * Listens on every address, and prints "ready". Requests have no body.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define EVENTS 64

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n";
static const char last_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                  "Connection: close\r\n\r\nfine\n";

static int listen_at(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
        return -1;
    return fd;
}

/* One request; false when the connection is over. */
static bool serve(int fd, bool is_last)
{
    char request[4096];
    ssize_t length = read(fd, request, sizeof(request) - 1);

    if (length <= 0)
        return length < 0 && errno == EAGAIN;
    request[length] = '\0';
    is_last = is_last || strstr(request, "Connection: close");
    return is_last ? write(fd, last_answer, sizeof(last_answer) - 1) < 0
                   : write(fd, answer, sizeof(answer) - 1) > 0;
}

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int serve_all(int listener)
{
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll < 0 || watch(epoll, listener) < 0)
        return -1;
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;

            if (fd == listener) {
                fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd >= 0 && watch(epoll, fd) < 0)
                    return -1;
            } else if (!serve(fd, false)) {
                (void)close(fd);
            }
        }
    }
}

static int serve_by_children(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pid_t pid = fd < 0 ? -1 : fork();

        if (pid < 0)
            return -1;
        if (pid == 0) {
            (void)serve(fd, true);
            _exit(0);
        }
        (void)close(fd);
    }
}

int main(int argc, char **argv)
{
    int listener = argc < 2 ? -1 : listen_at((int)strtol(argv[1], NULL, 10));

    if (listener < 0)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN); /* children that have ended leave nothing */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    puts("ready");
    (void)fflush(stdout);
    if (argc > 2)
        (void)serve_by_children(listener);
    else
        (void)serve_all(listener);
    perror("web");
    return 1;
}
