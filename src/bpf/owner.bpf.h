/* SPDX-License-Identifier: MIT */
/* A process as the owner of sockets. */
#pragma once

#include "task.bpf.h"

#include "event_record.h"

enum { PF_KTHREAD = 0x00200000 };

static __always_inline void fill_owner(struct event_owner *owner, const struct task_struct *task,
                                       __u32 pidns)
{
    struct task_struct *leader = FOR_READING(struct task_struct, task)->group_leader;
    struct task_struct *parent = leader->real_parent;

    owner->pid = task_id(leader, pidns);
    owner->euid = leader->cred->euid.val;
    owner->ppid = task_id(parent->group_leader, pidns);
    owner->cgroup_id = task_cgroup(leader);
    copy_comm(owner->comm, leader);
    copy_comm(owner->parent, parent->group_leader);
}
