/* SPDX-License-Identifier: MIT */
/* Facts of a task: its name, and its id as the reader sees it. */
#pragma once

#include "kernel.bpf.h"

static __always_inline void copy_comm(char to[16], const struct task_struct *task)
{
    const __u64 *comm = (const void *)task->comm;

    ((__u64 *)to)[0] = comm[0];
    ((__u64 *)to)[1] = comm[1];
}

/* The id of its control group in cgroup v2. */
static __noinline UNUSED __u64 task_cgroup(const struct task_struct *task)
{
    return bpf_core_field_exists(task->cgroups) ? task->cgroups->dfl_cgrp->kn->id : 0;
}

enum { DEPTH_MAX = 4 };

/*
 * The id of a task in the pid namespace with this inode, 0 being the initial one. 0: it has none
 * there. A task has an id in each namespace from the initial one down to its own, by their depth.
 *
 * All that is read of struct pid is read before anything of the namespaces: the kernel remembers
 * one of these two types at a time, and goes through all that it has to find the other one again.
 */
static __noinline UNUSED __u32 task_id(const struct task_struct *task, __u32 pidns)
{
    const struct pid_namespace *namespaces[DEPTH_MAX + 1] = {0};
    __u32 ids[DEPTH_MAX + 1] = {0};
    const struct pid *pid = task->thread_pid;

    if (!pidns)
        return task->pid;
#pragma unroll
    for (__u32 depth = 1; depth <= DEPTH_MAX; depth++)
        if (pid->level >= depth) {
            namespaces[depth] = pid->numbers[depth].ns;
            ids[depth] = pid->numbers[depth].nr;
        }
    barrier();
#pragma unroll
    for (__u32 depth = 1; depth <= DEPTH_MAX; depth++)
        if (namespaces[depth] && namespaces[depth]->ns.inum == pidns)
            return ids[depth];
    return 0;
}
