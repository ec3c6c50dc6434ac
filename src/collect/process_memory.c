/* SPDX-License-Identifier: MIT */
/* Process memory: copies of processes and names of their cgroups in a snapshot of their own. */
#include "collect/process_memory.h"

#include <signal.h>
#include <string.h>

/* Facts of a process are read anew once in so many readings. */
#define READINGS 16

struct process_memory {
    struct snapshot kept; /* only its processes, cgroups and strings are used */
    uint32_t readings;
};

struct process_memory *process_memory_new(void)
{
    struct process_memory *memory = calloc(1, sizeof(*memory));

    if (memory && snapshot_init(&memory->kept) < 0) {
        process_memory_free(memory);
        return NULL;
    }
    return memory;
}

void process_memory_free(struct process_memory *memory)
{
    if (memory)
        snapshot_done(&memory->kept);
    free(memory);
}

static int copy_string(struct snapshot *to, const struct snapshot *from, uint32_t *string)
{
    size_t length;
    const char *text = snapshot_string(from, *string, &length);

    return snapshot_intern(to, text, length, string);
}

/* Everything but what changes from one reading to the next: namespace and descriptors. */
static int copy_process(struct snapshot *to, const struct snapshot *from,
                        const struct process *process, struct process *ret_copy)
{
    const uint32_t dropped = PROCESS_HAS_NETNS | PROCESS_HAS_FDS | PROCESS_HAS_FD_LIMIT;
    struct process copy = *process;
    int r = copy_string(to, from, &copy.comm);

    copy.has &= ~dropped;
    copy.netns = 0;
    if (r == 0)
        r = copy_string(to, from, &copy.exe);
    if (r == 0)
        r = copy_string(to, from, &copy.cmdline);
    if (r == 0)
        r = copy_string(to, from, &copy.argv0);
    if (r == 0)
        r = copy_string(to, from, &copy.cgroup);
    if (r == 0)
        *ret_copy = copy;
    return r;
}

/* What the source knows of a cgroup; also that it has no path. */
static int copy_cgroup(struct snapshot *to, const struct snapshot *from, uint64_t id)
{
    if (map_get(&from->cgroup_index, id) == MAP_NONE || map_get(&to->cgroup_index, id) != MAP_NONE)
        return 0;
    return snapshot_add_cgroup(to, id, snapshot_string(from, snapshot_cgroup_path(from, id), NULL));
}

/* The process as it was kept, or NULL. */
static const struct process *find_kept(const struct process_memory *memory,
                                       const struct process *process)
{
    uint32_t index = map_get(&memory->kept.process_index, process->pid);
    const struct process *kept = index == MAP_NONE ? NULL : &memory->kept.processes[index];

    if (!kept)
        return NULL;
    if (kept->has & process->has & PROCESS_HAS_START && kept->start_ticks != process->start_ticks)
        return NULL;
    return kept;
}

/* exec() changes the name of a process and nothing else that we see without reading. */
static bool has_other_name(const struct process_memory *memory, const struct process *kept,
                           const struct snapshot *snapshot, const struct flow *flow)
{
    return flow->tid == flow->pid && strcmp(snapshot_string(&memory->kept, kept->comm, NULL),
                                            snapshot_string(snapshot, flow->comm, NULL)) != 0;
}

static int recall(const struct process_memory *memory, struct snapshot *snapshot,
                  const struct flow *flow)
{
    struct process *process = &snapshot->processes[flow->process - 1];
    const struct process *kept = find_kept(memory, process);
    bool gone = kill((pid_t)process->pid, 0) < 0 && errno == ESRCH;
    int r = 0;

    if (kept && (gone || kept->flags & PROCESS_GONE ||
                 ((process->pid + memory->readings) % READINGS &&
                  !has_other_name(memory, kept, snapshot, flow))))
        r = copy_process(snapshot, &memory->kept, kept, process);
    if (gone)
        process->flags |= PROCESS_GONE;
    return r;
}

int process_memory_recall(struct process_memory *memory, struct snapshot *snapshot)
{
    CLEANUP(map_done) struct map seen = {0};
    int r = 0;

    memory->readings++;
    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++) {
        const struct flow *flow = &snapshot->flows[i];

        r = copy_cgroup(snapshot, &memory->kept, flow->cgroup_id);
        if (r < 0 || !flow->process || map_get(&seen, flow->process) != MAP_NONE)
            continue;
        r = map_set(&seen, flow->process, i);
        if (r == 0)
            r = recall(memory, snapshot, flow);
    }
    return r;
}

int process_memory_keep(struct process_memory *memory, struct snapshot *snapshot)
{
    struct snapshot next;
    int r = snapshot_init(&next);

    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++) {
        uint32_t process = snapshot->flows[i].process, copy;
        const struct process *from = process ? &snapshot->processes[process - 1] : NULL;

        r = copy_cgroup(&next, snapshot, snapshot->flows[i].cgroup_id);
        if (r < 0 || !from || map_get(&next.process_index, from->pid) != MAP_NONE)
            continue;
        r = snapshot_add_process(&next, from->pid, &copy);
        if (r == 0)
            r = copy_process(&next, snapshot, from, &next.processes[copy]);
    }
    if (r < 0) {
        snapshot_done(&next);
        return r;
    }
    snapshot_done(&memory->kept);
    memory->kept = next;
    return 0;
}
