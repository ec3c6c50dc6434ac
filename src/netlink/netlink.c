/* SPDX-License-Identifier: MIT */
/* Netlink: the socket, the reader, and the attributes. */
#include "netlink/netlink.h"

#include <string.h>
#include <sys/socket.h>

/* The kernel fills what it is given up to 32 KiB a message; more room means fewer calls for many
 * small dumps. */
#define NETLINK_BUFFER ((size_t)64 * 1024)

int netlink_open(int protocol, struct netlink *ret_netlink)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    char *buffer;

    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    buffer = malloc(NETLINK_BUFFER);
    if (!buffer)
        return -ENOMEM;
    *ret_netlink = (struct netlink){.fd = TAKE_FD(fd), .buffer = buffer};
    return 0;
}

void netlink_close(struct netlink *netlink)
{
    if (netlink->fd >= 0)
        close(netlink->fd);
    free(netlink->buffer);
    *netlink = NETLINK_INIT;
}

int netlink_reopen(struct netlink *netlink, int protocol)
{
    netlink_close(netlink);
    return netlink_open(protocol, netlink);
}

static int send_request(struct netlink *netlink, struct nlmsghdr *request, uint16_t flags)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;

    request->nlmsg_flags |= NLM_F_REQUEST | flags;
    request->nlmsg_seq = ++netlink->sequence;
    request->nlmsg_pid = 0;
    do
        sent = sendto(netlink->fd, request, request->nlmsg_len, 0, (struct sockaddr *)&kernel,
                      sizeof(kernel));
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* Reads one datagram. 0 with its length, or -errno: nothing read is -EIO, one that did not fit is
 * -EMSGSIZE. */
static int receive(struct netlink *netlink, size_t *ret_length)
{
    struct sockaddr_nl from = {0};
    struct iovec part = {.iov_base = netlink->buffer, .iov_len = NETLINK_BUFFER};
    struct msghdr header = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
    ssize_t received;

    do
        received = recvmsg(netlink->fd, &header, 0);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return -errno;
    if (received == 0)
        return -EIO;
    if (header.msg_flags & MSG_TRUNC)
        return -EMSGSIZE;
    *ret_length = from.nl_pid == 0 ? (size_t)received : 0;
    if (netlink->copy)
        buf_put(netlink->copy, netlink->buffer, *ret_length);
    return 0;
}

/* The error that a NLMSG_ERROR or NLMSG_DONE message carries; a DONE without one means success. */
static int message_status(const struct nlmsghdr *message)
{
    int status = 0;

    if (message->nlmsg_len >= NLMSG_HDRLEN + sizeof(status))
        memcpy(&status, (const char *)message + NLMSG_HDRLEN, sizeof(status));
    else if (message->nlmsg_type == NLMSG_ERROR)
        return -EBADMSG;
    return status < 0 ? status : 0;
}

int netlink_read(struct netlink_answer *answer, const void *datagram, size_t length)
{
    const char *at = datagram;
    bool has_messages = false;
    int r = 0;

    while (length >= NLMSG_HDRLEN && r == 0 && !answer->done) {
        const struct nlmsghdr *message = (const void *)at;
        size_t step;

        if (message->nlmsg_len < NLMSG_HDRLEN || message->nlmsg_len > length)
            return -EBADMSG;
        step = NLMSG_ALIGN(message->nlmsg_len);
        if (message->nlmsg_seq == answer->sequence) {
            answer->interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            answer->done = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;
            has_messages |= !answer->done;
            if (answer->done)
                r = message_status(message);
            else if (answer->fn && message->nlmsg_type >= NLMSG_MIN_TYPE)
                r = answer->fn(answer->context, message->nlmsg_type, at + NLMSG_HDRLEN,
                               message->nlmsg_len - NLMSG_HDRLEN);
        }
        at += step;
        length = step < length ? length - step : 0;
    }
    answer->parts += has_messages;
    return r;
}

static int converse(struct netlink *netlink, struct nlmsghdr *request, uint16_t flags,
                    struct netlink_answer *answer)
{
    int r = send_request(netlink, request, flags);

    answer->sequence = netlink->sequence;
    while (r == 0 && !answer->done) {
        size_t length = 0;

        r = receive(netlink, &length);
        if (r == 0)
            r = netlink_read(answer, netlink->buffer, length);
    }
    return r;
}

/* After an error the rest of the answer still waits in the socket; its old sequence number makes
 * the reader skip it. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_message_fn *fn,
                 void *context, bool *ret_interrupted)
{
    struct netlink_answer answer = {.fn = fn, .context = context};
    int r = converse(netlink, request, NLM_F_DUMP, &answer);

    netlink->parts = answer.parts;
    if (r == 0 && ret_interrupted)
        *ret_interrupted = answer.interrupted;
    return r;
}

int netlink_query(struct netlink *netlink, struct nlmsghdr *request, netlink_message_fn *fn,
                  void *context)
{
    struct netlink_answer answer = {.fn = fn, .context = context};

    return converse(netlink, request, NLM_F_ACK, &answer);
}

int netlink_ask(struct netlink *netlink, struct nlmsghdr *request)
{
    return netlink_query(netlink, request, NULL, NULL);
}

size_t netlink_copy(const struct nlattr *attribute, void *to, size_t size)
{
    size_t length = attribute ? netlink_length(attribute) : 0;

    if (length > size)
        length = size;
    if (length)
        memcpy(to, netlink_data(attribute), length);
    memset((char *)to + length, 0, size - length);
    return length;
}

int netlink_add(struct nlmsghdr *message, size_t size, uint16_t type, const void *data,
                size_t length)
{
    size_t offset = NLMSG_ALIGN(message->nlmsg_len);
    struct nlattr header = {.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + length)};

    if (length > UINT16_MAX - NLA_HDRLEN || offset + NLA_ALIGN(NLA_HDRLEN + length) > size)
        return -EMSGSIZE;
    memcpy((char *)message + offset, &header, sizeof(header));
    if (length)
        memcpy((char *)message + offset + NLA_HDRLEN, data, length);
    message->nlmsg_len = (uint32_t)(offset + NLA_ALIGN(NLA_HDRLEN + length));
    return 0;
}

int netlink_nest(struct nlmsghdr *message, size_t size, uint16_t type, uint32_t *ret_mark)
{
    uint32_t mark = NLMSG_ALIGN(message->nlmsg_len);
    int r = netlink_add(message, size, type | NLA_F_NESTED, NULL, 0);

    if (r == 0)
        *ret_mark = mark;
    return r;
}

void netlink_nest_end(struct nlmsghdr *message, uint32_t mark)
{
    struct nlattr *attribute = (struct nlattr *)((char *)message + mark);

    attribute->nla_len = (uint16_t)(message->nlmsg_len - mark);
}
