/* SPDX-License-Identifier: MIT */
/* Containers of a snapshot: the whole name comes before the beginning of another one. */
#include "derive/container.h"

#include "derive/service.h"

#include <string.h>

/* The id of the container that a process is in; length 0: in none, or its namespace is unknown. */
static struct path_part id_of(const struct snapshot *snapshot, const struct process *process)
{
    size_t length;
    const char *path = snapshot_string(snapshot, process->cgroup, &length);

    if (!(process->has & PROCESS_HAS_NETNS))
        length = 0;
    return service_container(path, length).id;
}

static bool is_same(struct path_part a, struct path_part b)
{
    return a.length == b.length && memcmp(a.start, b.start, a.length) == 0;
}

int container_netns(const struct snapshot *snapshot, const char *id, uint32_t *ret_netns)
{
    struct path_part wanted = {.start = id, .length = strlen(id)}, first = {.length = 0};
    uint32_t netns = 0;
    bool several = false;

    for (uint32_t i = 0; i < snapshot->processes_count && wanted.length; i++) {
        const struct process *process = &snapshot->processes[i];
        struct path_part found = id_of(snapshot, process);

        if (is_same(found, wanted)) {
            *ret_netns = process->netns;
            return 0;
        }
        if (found.length < wanted.length || memcmp(found.start, id, wanted.length) != 0)
            continue;
        several |= first.length && !is_same(found, first) && process->netns != netns;
        if (!first.length) {
            first = found;
            netns = process->netns;
        }
    }
    if (!first.length || several)
        return several ? -EEXIST : -ENOENT;
    *ret_netns = netns;
    return 0;
}
