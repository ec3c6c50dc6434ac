/* SPDX-License-Identifier: MIT */
/* Facts that few sockets or descriptors have: kept beside them, in their order, and found again. */
#include "model/snapshot.h"

#include <string.h>

/*
 * The position of the first element that belongs to `index` or to a later one. Each element has the
 * index of what it belongs to at `offset`, and they ascend.
 */
static uint32_t find_first(const void *elements, uint32_t count, size_t size, size_t offset,
                           uint32_t index)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2, belongs_to;

        memcpy(&belongs_to, (const char *)elements + middle * size + offset, sizeof(belongs_to));
        if (belongs_to < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define FIND_FIRST(snapshot, array, member, index)                                                 \
    find_first((snapshot)->array, (snapshot)->array##_count, sizeof(*(snapshot)->array),           \
               offsetof(__typeof__(*(snapshot)->array), member), index)

const struct packet_details *snapshot_packet(const struct snapshot *snapshot,
                                             const struct socket *socket)
{
    uint32_t index = (uint32_t)(socket - snapshot->sockets);
    uint32_t at = FIND_FIRST(snapshot, packets, socket, index);

    return at < snapshot->packets_count && snapshot->packets[at].socket == index
               ? &snapshot->packets[at]
               : NULL;
}

const struct unix_waiting *snapshot_waiting(const struct snapshot *snapshot,
                                            const struct socket *socket, uint32_t *ret_count)
{
    uint32_t index = (uint32_t)(socket - snapshot->sockets);
    uint32_t at = FIND_FIRST(snapshot, unix_waiting, socket, index), count = 0;

    while (at + count < snapshot->unix_waiting_count &&
           snapshot->unix_waiting[at + count].socket == index)
        count++;
    *ret_count = count;
    return count ? &snapshot->unix_waiting[at] : NULL;
}

const struct fd_flags *snapshot_fd_flags(const struct snapshot *snapshot,
                                         const struct holder *holder)
{
    uint32_t index = (uint32_t)(holder - snapshot->holders);
    uint32_t at = FIND_FIRST(snapshot, fd_flags, holder, index);

    return at < snapshot->fd_flags_count && snapshot->fd_flags[at].holder == index
               ? &snapshot->fd_flags[at]
               : NULL;
}

void snapshot_move_socket(struct snapshot *snapshot, uint32_t from, uint32_t to)
{
    uint32_t packet = FIND_FIRST(snapshot, packets, socket, from),
             waiting = FIND_FIRST(snapshot, unix_waiting, socket, from);

    snapshot->sockets[to] = snapshot->sockets[from];
    if (packet < snapshot->packets_count && snapshot->packets[packet].socket == from)
        snapshot->packets[packet].socket = to;
    for (; waiting < snapshot->unix_waiting_count && snapshot->unix_waiting[waiting].socket == from;
         waiting++)
        snapshot->unix_waiting[waiting].socket = to;
}

bool tcp_payload_sent(const struct tcp_details *tcp, uint64_t *ret_bytes)
{
    if (!tcp || tcp->known < TCP_INFO_BYTES_RETRANS)
        return false;
    *ret_bytes = tcp->bytes_sent - tcp->bytes_retrans;
    return true;
}

bool tcp_payload_received(const struct tcp_details *tcp, uint64_t *ret_bytes)
{
    if (!tcp || tcp->known < TCP_INFO_BYTES_RECEIVED)
        return false;
    *ret_bytes = tcp->bytes_received;
    return true;
}
