/* SPDX-License-Identifier: MIT */
/* Netlink: sends one request, reads the answer whole, and checks every length on the way. */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct netlink {
    int fd;
    uint32_t sequence;
    uint32_t parts;   /* datagrams with messages of the last dump: it was read in so many goes */
    char *buffer;     /* owned, NETLINK_BUFFER bytes */
    struct buf *copy; /* borrowed: gets each datagram of an answer as it came; NULL: nobody */
};

#define NETLINK_INIT ((struct netlink){.fd = -1})

/* One message of an answer. `payload` is behind the nlmsghdr. A negative return ends the dump and
 * is returned by it. */
typedef int netlink_message_fn(void *context, uint16_t type, const void *payload, size_t length);

/* How far the reading of one answer has come. */
struct netlink_answer {
    netlink_message_fn *fn; /* NULL: its messages are of no interest */
    void *context;          /* of fn */
    uint32_t sequence;      /* its messages have it; others are of an earlier answer */
    uint32_t parts;         /* datagrams with messages so far */
    bool interrupted;       /* NLM_F_DUMP_INTR */
    bool done;              /* its end was read */
};

/* Reads one datagram of an answer. 0 or -errno, as netlink_dump(). */
int netlink_read(struct netlink_answer *answer, const void *datagram, size_t length) MUST_CHECK;

/* Opens a socket of a netlink protocol in the calling thread's network namespace. 0 or -errno. */
int netlink_open(int protocol, struct netlink *ret_netlink) MUST_CHECK;
void netlink_close(struct netlink *netlink);

/* Closes and opens again: after a failed dump the kernel may still be busy with it (EBUSY for the
 * next one). */
int netlink_reopen(struct netlink *netlink, int protocol) MUST_CHECK;

/*
 * Sends `request` (its nlmsg_len and nlmsg_type are set, and flags of its own; sequence and port
 * are filled in here) as a dump and calls `fn` for each message. 0: the dump is whole.
 * *ret_interrupted: the kernel said that its tables changed on the way (NLM_F_DUMP_INTR). -errno:
 * the kernel's or the socket's error, -EIO for an answer cut short, -EBADMSG for one that is
 * malformed: what fn got so far is not whole, and the next dump on this socket starts anew.
 */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_message_fn *fn,
                 void *context, bool *ret_interrupted) MUST_CHECK;

/* Sends `request` (no dump), calls `fn` for each message of the answer and waits for the
 * acknowledgement or error. 0 or -errno. */
int netlink_query(struct netlink *netlink, struct nlmsghdr *request, netlink_message_fn *fn,
                  void *context) MUST_CHECK;

/* Sends `request` and waits for the acknowledgement or error. 0 or -errno. */
int netlink_ask(struct netlink *netlink, struct nlmsghdr *request) MUST_CHECK;

/* Sorts the attributes in `length` bytes by type: ret_attributes[type] for type < count, NULL where
 * there is none. Malformed rests are ignored. Here, since a dump has millions of them. */
static inline void netlink_attributes(const void *bytes, size_t length,
                                      const struct nlattr **ret_attributes, size_t count)
{
    const char *at = bytes;

    memset(ret_attributes, 0, sizeof(*ret_attributes) * count);
    while (length >= NLA_HDRLEN) {
        const struct nlattr *attribute = (const void *)at;
        size_t step = NLA_ALIGN(attribute->nla_len);
        unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

        if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > length)
            return;
        if (type < count)
            ret_attributes[type] = attribute;
        if (step >= length)
            return;
        at += step;
        length -= step;
    }
}

/* Copies at most `size` bytes of an attribute's content and zeroes the rest. Returns how many bytes
 * were there (0 for NULL). */
size_t netlink_copy(const struct nlattr *attribute, void *to, size_t size);

static inline const void *netlink_data(const struct nlattr *attribute)
{
    return (const char *)attribute + NLA_HDRLEN;
}

static inline size_t netlink_length(const struct nlattr *attribute)
{
    return (size_t)attribute->nla_len - NLA_HDRLEN;
}

/* What is added between the two is within an attribute of that type. `message` as below; the mark
 * is for the end. 0 or -EMSGSIZE. */
int netlink_nest(struct nlmsghdr *message, size_t size, uint16_t type, uint32_t *ret_mark)
    MUST_CHECK;
void netlink_nest_end(struct nlmsghdr *message, uint32_t mark);

/* Appends an attribute to a message of `size` bytes at most. 0 or -EMSGSIZE. */
int netlink_add(struct nlmsghdr *message, size_t size, uint16_t type, const void *data,
                size_t length) MUST_CHECK;
