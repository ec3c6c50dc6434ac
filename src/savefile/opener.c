/* SPDX-License-Identifier: MIT */
/* Opens files of one directory, if need be by a process that keeps the privileges. */
#include "savefile/opener.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CREATE_MODE 0666 /* less the umask */

/* What the other process is asked. */
struct demand {
    bool again;
    char name[PATH_MAX];
};

int opener_open(struct opener *opener, const char *path, size_t fixed, bool again)
{
    const char *slash = memrchr(path, '/', fixed);
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;

    *opener = OPENER_NONE;
    opener->again = again;
    opener->path = strndup(path, length);
    opener->prefix = strndup(path + length, fixed - length);
    if (!opener->path || !opener->prefix) {
        opener_close(opener);
        return -ENOMEM;
    }
    opener->directory = open(length ? opener->path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opener->directory < 0) {
        int error = -errno;

        opener_close(opener);
        return error;
    }
    return 0;
}

void opener_close(struct opener *opener)
{
    if (opener->directory >= 0)
        close(opener->directory);
    if (opener->other >= 0) {
        close(opener->other); /* the other process ends by it */
        while (waitpid(opener->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(opener->path);
    free(opener->prefix);
    *opener = OPENER_NONE;
}

int opener_give(const struct opener *opener, int fd)
{
    struct stat status;

    if (opener->user == (uid_t)-1)
        return 0;
    if (fstat(fd, &status) < 0)
        return -errno;
    return S_ISREG(status.st_mode) && fchown(fd, opener->user, opener->group) < 0 ? -errno : 0;
}

/* A device is no file that could be overwritten. */
static bool is_device(int directory, const char *name)
{
    struct stat status;

    return fstatat(directory, name, &status, 0) == 0 && !S_ISREG(status.st_mode);
}

static int create_here(const struct opener *opener, const char *name, bool again)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    int fd = openat(opener->directory, name, flags | (again ? O_TRUNC : O_EXCL), CREATE_MODE);
    int given;

    if (fd < 0 && errno == EEXIST) {
        if (is_device(opener->directory, name))
            fd = openat(opener->directory, name, O_WRONLY | O_CLOEXEC);
        else
            errno = EEXIST;
    }
    if (fd < 0)
        return -errno;
    given = opener_give(opener, fd);
    if (given < 0)
        close(fd);
    return given < 0 ? given : fd;
}

/* --- the other process --- */

static bool may_create(const struct opener *opener, const struct demand *demand)
{
    return (!demand->again || opener->again) && !strstr(demand->name, "..") &&
           strncmp(demand->name, opener->prefix, strlen(opener->prefix)) == 0;
}

/* Sends the status, and with it the descriptor if there is one. */
static int send_answer(int to, int fd)
{
    int status = fd < 0 ? fd : 0;
    struct iovec part = {&status, sizeof(status)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    return sendmsg(to, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Until the process that asks has ended. Signals for all of the terminal are for that one. */
_Noreturn static void serve(const struct opener *opener, int from)
{
    struct demand demand;
    ssize_t size;

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    while ((size = recv(from, &demand, sizeof(demand), 0)) >
           (ssize_t)offsetof(struct demand, name)) {
        int fd = -EPERM;

        ((char *)&demand)[size - 1] = '\0';
        if (may_create(opener, &demand))
            fd = create_here(opener, demand.name, demand.again);
        if (send_answer(from, fd) < 0)
            break;
        if (fd >= 0)
            close(fd);
    }
    _exit(0);
}

/* By number: not every C library has a function for it. */
static void close_all(unsigned int first, unsigned int last)
{
    (void)syscall(SYS_close_range, first, last, 0);
}

/* Keeps nothing open but what is said, no capture above all. */
static void close_others(int directory, int socket)
{
    int low = directory < socket ? directory : socket,
        high = directory < socket ? socket : directory;

    if (low > 0)
        close_all(0, (unsigned int)low - 1);
    if (high > low + 1)
        close_all((unsigned int)low + 1, (unsigned int)high - 1);
    close_all((unsigned int)high + 1, UINT_MAX);
}

int opener_delegate(struct opener *opener)
{
    int ends[2], error;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    opener->child = fork();
    if (opener->child == 0) {
        close_others(opener->directory, ends[1]);
        serve(opener, ends[1]);
    }
    error = -errno;
    close(ends[1]);
    if (opener->child < 0) {
        close(ends[0]);
        return error;
    }
    opener->other = ends[0];
    return 0;
}

/* The descriptor of an answer, or what was wrong. */
static int receive_answer(int from)
{
    int status, fd = -EIO;
    struct iovec part = {&status, sizeof(status)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    const struct cmsghdr *header;
    ssize_t size;

    do
        size = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size != sizeof(status))
        return size < 0 ? -errno : -EIO;
    header = CMSG_FIRSTHDR(&message);
    if (status == 0 && header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return status < 0 ? status : fd;
}

static int create_there(const struct opener *opener, const char *name, bool again)
{
    struct demand demand = {.again = again};
    size_t length = strlen(name);

    if (length >= sizeof(demand.name))
        return -ENAMETOOLONG;
    memcpy(demand.name, name, length + 1);
    if (send(opener->other, &demand, offsetof(struct demand, name) + length + 1, MSG_NOSIGNAL) < 0)
        return -errno;
    return receive_answer(opener->other);
}

int opener_create(struct opener *opener, const char *name, bool again, int *ret_fd)
{
    int fd =
        opener->other >= 0 ? create_there(opener, name, again) : create_here(opener, name, again);

    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}
