/* SPDX-License-Identifier: MIT */
/* manynetns: very many network namespaces, each with a listener. */
/*
 * manynetns COUNT [NAMED]: each has a listener on port 7000. Their names are in /run/netns of a
 * mount namespace of its own, so that all goes with this process, however it ends; those behind the
 * first NAMED are kept by the descriptors of the sockets alone. Prints "ready", and ends with its
 * standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT 7000
#define RESERVED_FDS 64

static int fail(const char *what)
{
    fprintf(stderr, "manynetns: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

static int raise_limit(unsigned long count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    limit.rlim_cur = count + RESERVED_FDS;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

/* Of this process and those that enter its mount namespace. */
static int hide_names(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount("manynetns", "/run/netns", "tmpfs", 0, NULL);
}

static int make_listener(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const void *)&address, sizeof(address)) < 0)
        return -1;
    return listen(fd, 1);
}

static int make_name(unsigned long number)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/run/netns/many%lu", number);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
    if (fd < 0 || close(fd) < 0)
        return -1;
    return mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL);
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned long named = argc > 2 ? strtoul(argv[2], NULL, 10) : count;

    if (mkdir("/run/netns", 0755) < 0 && errno != EEXIST)
        return fail("/run/netns");
    if (raise_limit(count) < 0)
        return fail("limit of descriptors");
    if (hide_names() < 0)
        return fail("mount namespace");
    for (unsigned long i = 0; i < count; i++)
        if (unshare(CLONE_NEWNET) < 0 || make_listener() < 0 || (i < named && make_name(i) < 0))
            return fail("namespace");
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return EXIT_SUCCESS;
}
