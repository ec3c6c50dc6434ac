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
static __always_inline __u64 task_cgroup(const struct task_struct *task)
{
    return bpf_core_field_exists(task->cgroups) ? task->cgroups->dfl_cgrp->kn->id : 0;
}

/* A task has an id in each pid namespace from the initial one down to its own, by their depth. */
#define ID_AT_DEPTH(pid, depth, pidns)                                                             \
    if ((pid)->level >= (depth) && (pid)->numbers[depth].ns->ns.inum == (pidns))                   \
    return (pid)->numbers[depth].nr

/* The id of a task in the pid namespace with this inode, 0 being the initial one. 0: it has none
 * there. */
static __always_inline __u32 task_id(const struct task_struct *task, __u32 pidns)
{
    const struct pid *pid = task->thread_pid;

    if (!pidns)
        return task->pid;
    ID_AT_DEPTH(pid, 1, pidns);
    ID_AT_DEPTH(pid, 2, pidns);
    ID_AT_DEPTH(pid, 3, pidns);
    ID_AT_DEPTH(pid, 4, pidns);
    return 0;
}
