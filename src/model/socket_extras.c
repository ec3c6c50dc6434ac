/* SPDX-License-Identifier: MIT */
/* Facts that few sockets have: kept beside them, in the order of the sockets, and found again. */
#include "model/snapshot.h"

/* The first one of a socket that is not before `index`. */
static uint32_t find_packet(const struct snapshot *snapshot, uint32_t index)
{
    uint32_t low = 0, high = snapshot->packets_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (snapshot->packets[middle].socket < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t find_waiting(const struct snapshot *snapshot, uint32_t index)
{
    uint32_t low = 0, high = snapshot->unix_waiting_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (snapshot->unix_waiting[middle].socket < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct packet_details *snapshot_packet(const struct snapshot *snapshot,
                                             const struct socket *socket)
{
    uint32_t index = (uint32_t)(socket - snapshot->sockets);
    uint32_t at = find_packet(snapshot, index);

    return at < snapshot->packets_count && snapshot->packets[at].socket == index
               ? &snapshot->packets[at]
               : NULL;
}

const struct unix_waiting *snapshot_waiting(const struct snapshot *snapshot,
                                            const struct socket *socket, uint32_t *ret_count)
{
    uint32_t index = (uint32_t)(socket - snapshot->sockets);
    uint32_t at = find_waiting(snapshot, index), count = 0;

    while (at + count < snapshot->unix_waiting_count &&
           snapshot->unix_waiting[at + count].socket == index)
        count++;
    *ret_count = count;
    return count ? &snapshot->unix_waiting[at] : NULL;
}

void snapshot_move_socket(struct snapshot *snapshot, uint32_t from, uint32_t to)
{
    uint32_t packet = find_packet(snapshot, from), waiting = find_waiting(snapshot, from);

    snapshot->sockets[to] = snapshot->sockets[from];
    if (packet < snapshot->packets_count && snapshot->packets[packet].socket == from)
        snapshot->packets[packet].socket = to;
    for (; waiting < snapshot->unix_waiting_count && snapshot->unix_waiting[waiting].socket == from;
         waiting++)
        snapshot->unix_waiting[waiting].socket = to;
}
