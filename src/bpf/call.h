/* SPDX-License-Identifier: MIT */
/* The system call bpf(2), which libc has no function for. */
#pragma once

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An initialiser leaves the bytes behind its member as they are, and the kernel wants zeros. */
static inline union bpf_attr bpf_no_attr(void)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    return attr;
}

/* A descriptor or 0, or -errno. */
static inline int bpf_call(enum bpf_cmd command, union bpf_attr *attr)
{
    int r = (int)syscall(__NR_bpf, command, attr, sizeof(*attr));

    return r < 0 ? -errno : r;
}
