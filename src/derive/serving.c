/* SPDX-License-Identifier: MIT */
/* Serving: found by state, protocol and port. */
#include "derive/serving.h"

#include "derive/port_range.h"

bool serving_is(const struct snapshot *snapshot, const struct socket *socket)
{
    if (!(PROTO_BIT(socket->proto) & PROTO_INET_ALL) || !socket->local_port)
        return false;
    if (socket->state == STATE_LISTENING)
        return true;
    return socket->state == STATE_UNCONNECTED && socket->proto != PROTO_TCP &&
           !port_range_has(snapshot, socket->netns, socket->local_port);
}

/* First the inodes that are looked for; number processes_count is nobody. */
int serving_holders(const struct snapshot *snapshot, struct map *holders)
{
    const uint32_t nobody = snapshot->processes_count;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        if (snapshot->sockets[i].inode && serving_is(snapshot, &snapshot->sockets[i]))
            r = map_set(holders, snapshot->sockets[i].inode, nobody);
    for (uint32_t i = 0; i < snapshot->holders_count && r == 0; i++)
        if (map_get(holders, snapshot->holders[i].inode) == nobody)
            r = map_set(holders, snapshot->holders[i].inode, snapshot->holders[i].process);
    return r;
}

uint32_t serving_holder(const struct snapshot *snapshot, const struct map *holders,
                        const struct socket *socket)
{
    uint32_t process = map_get(holders, socket->inode);

    return process < snapshot->processes_count ? process : MAP_NONE;
}
