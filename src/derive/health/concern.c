/* SPDX-License-Identifier: MIT */
/* Chooses the findings that concern some sockets. */
#include "derive/health/concern.h"

#include "derive/address.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What the sockets have to do with, by its index in the snapshot. */
struct circle {
    bool *sockets, *processes;
};

static void circle_done(struct circle *circle)
{
    free(circle->sockets);
    free(circle->processes);
}

static bool has_address(const struct snapshot *snapshot, const struct interface *interface,
                        const struct socket *socket)
{
    bool mapped = address_is_mapped(socket->family, &socket->local);
    const uint8_t *bytes = socket->local.bytes + (mapped ? 12 : 0);
    uint32_t family = mapped ? AF_INET : socket->family;

    for (uint32_t i = 0; i < snapshot->link_addresses_count; i++) {
        const struct link_address *address = &snapshot->link_addresses[i];

        if (address->netns == interface->netns && address->ifindex == interface->ifindex &&
            address->family == family &&
            memcmp(address->address.bytes, bytes, family == AF_INET ? 4 : 16) == 0)
            return true;
    }
    return false;
}

/* Whether one of the sockets is bound to the interface, or has an address of it. */
static bool uses(const struct circle *circle, const struct snapshot *snapshot, uint32_t index)
{
    const struct interface *interface = &snapshot->interfaces[index];

    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        if (circle->sockets[i] && socket->netns == interface->netns &&
            address_is_inet(socket->family) &&
            (socket->ifindex ? socket->ifindex == interface->ifindex
                             : has_address(snapshot, interface, socket)))
            return true;
    }
    return false;
}

static void draw(struct circle *circle, const struct snapshot *snapshot, const struct join *join,
                 uint32_t index)
{
    circle->sockets[index] = true;
    for (uint32_t i = 0; i < join->sockets[index].holder_count; i++)
        circle->processes[join_holder(snapshot, join, index, i)->process] = true;
}

/* The socket of a finding about a process is one example of its sockets. */
static bool concerns(const struct circle *circle, const struct snapshot *snapshot,
                     const struct subject *subject)
{
    if (subject->process != HEALTH_NONE)
        return circle->processes[subject->process];
    if (subject->interface != HEALTH_NONE)
        return uses(circle, snapshot, subject->interface);
    return subject->socket != HEALTH_NONE && circle->sockets[subject->socket];
}

int findings_keep_concerned(struct findings *findings, const struct snapshot *snapshot,
                            const struct join *join, const uint32_t *sockets, uint32_t count)
{
    CLEANUP(circle_done)
    struct circle circle = {
        .sockets = calloc(snapshot->sockets_count + 1u, sizeof(bool)),
        .processes = calloc(snapshot->processes_count + 1u, sizeof(bool)),
    };
    uint32_t kept = 0;

    if (!circle.sockets || !circle.processes)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        draw(&circle, snapshot, join, sockets[i]);
    for (uint32_t i = 0; i < findings->count; i++)
        if (concerns(&circle, snapshot, &findings->items[i].subject))
            findings->items[kept++] = findings->items[i];
    findings->count = kept;
    return 0;
}
