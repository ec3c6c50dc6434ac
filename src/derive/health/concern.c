/* SPDX-License-Identifier: MIT */
/* Chooses the findings that concern some sockets. */
#include "derive/health/concern.h"

#include <stdlib.h>

/* What the sockets have to do with, by its index in the snapshot. */
struct circle {
    bool *sockets, *processes;
};

static void circle_done(struct circle *circle)
{
    free(circle->sockets);
    free(circle->processes);
}

static void draw(struct circle *circle, const struct snapshot *snapshot, const struct join *join,
                 uint32_t index)
{
    circle->sockets[index] = true;
    for (uint32_t i = 0; i < join->sockets[index].holder_count; i++)
        circle->processes[join_holder(snapshot, join, index, i)->process] = true;
}

/* The socket of a finding about a process is one example of its sockets. */
static bool concerns(const struct circle *circle, const struct subject *subject)
{
    if (subject->process != HEALTH_NONE)
        return circle->processes[subject->process];
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
        if (concerns(&circle, &findings->items[i].subject))
            findings->items[kept++] = findings->items[i];
    findings->count = kept;
    return 0;
}
