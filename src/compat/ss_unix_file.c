/* SPDX-License-Identifier: MIT */
/* How ss(8) shows unix sockets of a file like /proc/net/unix: other states, another order. */
#include "compat/ss_unix_file.h"

#include <sys/socket.h>

/* So many the real tool sorts at a time. */
#define SORTED_TOGETHER 1681

/* It takes the address of a datagram socket in the kernel for that of a peer. */
unsigned int ss_shown_state(const struct socket *socket)
{
    bool is_of_file = socket->family == AF_UNIX && !(socket->has & SOCKET_HAS_COOKIE);

    if (is_of_file && socket->type == SOCK_DGRAM && socket->state == STATE_UNCONNECTED &&
        socket->local.words[0])
        return STATE_ESTABLISHED;
    return socket->state;
}

size_t ss_unix_file_name(const char *name, size_t length)
{
    size_t end = 0;

    while (end < length && name[end] != ' ' && (name[end] < '\t' || name[end] > '\r'))
        end++;
    return end;
}

struct place {
    uint32_t type, inode, order, row;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *one = left, *other = right;

    if (one->type != other->type)
        return one->type < other->type ? -1 : 1;
    if (one->inode != other->inode)
        return one->inode < other->inode ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

void ss_unix_file_sort(const struct snapshot *snapshot, uint32_t *rows, uint32_t count)
{
    struct place places[SORTED_TOGETHER] = {{0}};
    uint32_t part;

    for (; count > 0; rows += part, count -= part) {
        part = count < SORTED_TOGETHER ? count : SORTED_TOGETHER;
        for (uint32_t i = 0; i < part; i++)
            places[i] = (struct place){.type = snapshot->sockets[rows[i]].type,
                                       .inode = snapshot->sockets[rows[i]].inode,
                                       .order = i,
                                       .row = rows[i]};
        qsort(places, part, sizeof(*places), compare_places);
        for (uint32_t i = 0; i < part; i++)
            rows[i] = places[i].row;
    }
}
