/* SPDX-License-Identifier: MIT */
/* What is known of the processes that packets are of, beyond what tells of packets. */
#include "collect/packet_processes.h"

#include "collect/fd_table.h"
#include "collect/process_facts.h"

#include <fcntl.h>
#include <string.h>

/* A chain of parents is not longer; pids may be used again while they are read. */
#define ANCESTORS_MAX 64

int packet_processes_init(struct packet_processes *processes, uint64_t needs)
{
    *processes = (struct packet_processes){.needs = needs};
    return snapshot_init(&processes->snapshot);
}

void packet_processes_done(struct packet_processes *processes)
{
    map_done(&processes->rows);
    snapshot_done(&processes->snapshot);
}

/* What was told of it. A pid has a new row when its process has become another program. */
static int add_told(struct snapshot *snapshot, const struct packet_process *from,
                    uint32_t *ret_index)
{
    size_t length = strnlen(from->comm, sizeof(from->comm));
    struct process *process;
    uint32_t comm;
    int r = snapshot_intern(snapshot, from->comm, length, &comm);

    if (r < 0)
        return r;
    map_remove(&snapshot->process_index, from->pid);
    r = snapshot_add_process(snapshot, from->pid, ret_index);
    if (r < 0)
        return r;
    process = &snapshot->processes[*ret_index];
    process->comm = comm;
    process->has = length ? PROCESS_HAS_COMM : 0;
    return 0;
}

/* Who uses a socket says more than /proc does later: its parent may be gone by then. */
static void set_told(struct process *process, const struct packet_process *from)
{
    process->uid = from->uid;
    process->has |= PROCESS_HAS_UID;
    if (from->ppid) {
        process->ppid = from->ppid;
        process->has |= PROCESS_HAS_PPID;
    }
}

/* Of a process that has ended, its cgroup is known by the id that was told. */
static int read_cgroup(struct packet_processes *processes, uint32_t index, uint64_t id)
{
    struct snapshot *snapshot = &processes->snapshot;
    int r;

    if (!(processes->needs & NEED_CGROUP) || !id ||
        snapshot->processes[index].has & PROCESS_HAS_CGROUP)
        return 0;
    r = cgroup_read_path(snapshot, id);
    if (r == 0) {
        snapshot->processes[index].cgroup = snapshot_process_cgroup(snapshot, id);
        snapshot->processes[index].has |= PROCESS_HAS_CGROUP;
    }
    return r;
}

static int read_ancestors(struct packet_processes *processes, uint32_t index)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct snapshot *snapshot = &processes->snapshot;
    int r = 0;

    for (int i = 0; i < ANCESTORS_MAX && r == 0 && proc >= 0; i++) {
        const struct process *child = &snapshot->processes[index];

        if (!(child->has & PROCESS_HAS_PPID) || !child->ppid ||
            map_get(&snapshot->process_index, child->ppid) != MAP_NONE)
            return 0;
        r = process_add_named(snapshot, proc, child->ppid, &index);
        if (r == 0)
            r = process_read_facts(snapshot, index, processes->needs);
    }
    return r;
}

/* Facts of who is known to use the socket; nothing is read of packets of a file. */
static int read_all(struct packet_processes *processes, uint32_t index,
                    const struct packet_process *from)
{
    struct snapshot *snapshot = &processes->snapshot;
    int r = process_read_facts(snapshot, index, processes->needs);

    if (r < 0)
        return r;
    set_told(&snapshot->processes[index], from);
    r = read_cgroup(processes, index, from->cgroup_id);
    return r == 0 && processes->needs & NEED_PROCESS_STAT ? read_ancestors(processes, index) : r;
}

int packet_processes_add(struct packet_processes *processes, const struct packet_process *process,
                         uint32_t *ret_index)
{
    uint64_t key = (uintptr_t)process;
    uint32_t index = map_get(&processes->rows, key);
    int r = 0;

    if (index == MAP_NONE) {
        r = add_told(&processes->snapshot, process, &index);
        if (r == 0 && processes->needs)
            r = read_all(processes, index, process);
        if (r == 0)
            r = map_set(&processes->rows, key, index);
    }
    if (r == 0)
        *ret_index = index;
    return r;
}

uint32_t packet_processes_parent(const struct packet_processes *processes, uint32_t index)
{
    const struct process *process = &processes->snapshot.processes[index];

    return process->has & PROCESS_HAS_PPID && process->ppid
               ? map_get(&processes->snapshot.process_index, process->ppid)
               : MAP_NONE;
}
