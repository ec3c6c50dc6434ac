/* SPDX-License-Identifier: MIT */
/* Every process: its network namespace, its program, and how many descriptors it may have. */
#pragma once

#include "record.h"
#include "task.bpf.h"

#define RLIMIT_NOFILE 7

/* The kernel has them in struct fdtable, of which struct files_struct has one. */
static __always_inline __u32 count_places(const struct files_struct *files)
{
    const struct files_struct *around =
        (const void *)files->fdt - bpf_core_field_offset(struct files_struct, fdtab);

    return around->fdtab.max_fds;
}

SEC("iter/task")
int walk_tasks(struct bpf_iter__task *ctx)
{
    struct record_task record = {0};
    const struct task_struct *task;

    if (!ctx->task)
        return 0;
    task = FOR_READING(struct task_struct, ctx->task);
    if (task->pid != task->tgid)
        return 0;
    record.pid = task->pid;
    record.netns = task->nsproxy->net_ns->ns.inum;
    record.fd_places = count_places(task->files);
    record.fd_limit = task->signal->rlim[RLIMIT_NOFILE].rlim_cur;
    record.program = (__u64)task->mm->exe_file->f_path.dentry;
    copy_comm(record.comm, task);
    bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
    return 0;
}
