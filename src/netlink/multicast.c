/* SPDX-License-Identifier: MIT */
/* Netlink: joining groups, and hearing what is sent to them. */
#include "netlink/multicast.h"

#include <sys/socket.h>

#define DATAGRAM_SIZE 16384

int netlink_join(int protocol, uint32_t groups, int bytes, int *ret_fd)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    if (bytes && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int netlink_hear(int fd, int flags, netlink_notice_fn *fn, void *context)
{
    _Alignas(struct nlmsghdr) char bytes[DATAGRAM_SIZE];
    const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
    unsigned int rest;
    ssize_t length;
    int r = 0;

    do
        length = recv(fd, bytes, sizeof(bytes), flags);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return -errno;
    rest = (unsigned int)length;
    for (; r == 0 && NLMSG_OK(message, rest); message = NLMSG_NEXT(message, rest))
        r = fn(context, message);
    return r;
}
