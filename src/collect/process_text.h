/* SPDX-License-Identifier: MIT */
/* Pure parsers of the files below /proc/PID; their text is NUL-terminated and may be hostile. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields of /proc/PID/stat, with their numbers in proc(5). */
struct process_stat {
    char state;           /* 3: 'Z' when its first thread has ended */
    uint32_t ppid;        /* 4 */
    uint32_t pgid;        /* 5 */
    uint32_t tty;         /* 7: device number of the controlling terminal, or 0 */
    uint32_t flags;       /* 9: PF_* */
    uint32_t threads;     /* 20 */
    uint64_t start_ticks; /* 22: clock ticks after boot */
};

/* Flag of a kernel thread (PF_KTHREAD in the kernel's include/linux/sched.h). */
#define PROCESS_STAT_KERNEL_THREAD 0x00200000u

/*
 * The name in parentheses may contain anything, so that reading begins after the last ')'. False
 * when cut or malformed.
 */
bool process_stat_parse(const char *text, struct process_stat *ret_stat) MUST_CHECK;

/* The name in parentheses, as part of `text`. False when it is not there. */
bool process_stat_name(const char *text, const char **ret_name, size_t *ret_length) MUST_CHECK;

/*
 * The path of a process in /proc/PID/cgroup, as part of `text`: of the cgroup2 line, or of the
 * name=systemd line, or of another controller of cgroup v1, whichever first says more than "/".
 * False without any line.
 */
bool process_cgroup_parse(const char *text, const char **ret_path, size_t *ret_length) MUST_CHECK;

/* Whether the same file tells of hierarchies of cgroup v1: the line of v2 is the last one. */
bool process_cgroup_has_v1(const char *text);

/*
 * Puts blanks between the arguments of /proc/PID/cmdline and returns the length without the NULs at
 * its end.
 */
size_t process_cmdline_join(char *text, size_t length);

/*
 * Soft limit of open descriptors in /proc/PID/limits, at most UINT32_MAX. False when it is not
 * there.
 */
bool process_fd_limit_parse(const char *text, uint32_t *ret_limit) MUST_CHECK;

/*
 * Removes " (deleted)" from the end of a path of `length` bytes: true and the new length when it
 * was there.
 */
bool process_path_undelete(const char *path, size_t *length);
