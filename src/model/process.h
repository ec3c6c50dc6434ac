/* SPDX-License-Identifier: MIT */
/* Processes, threads, and which descriptor of theirs is which socket. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum process_has {
    PROCESS_HAS_UID = 1u << 0,
    PROCESS_HAS_START = 1u << 1,
    PROCESS_HAS_EXE = 1u << 2,
    PROCESS_HAS_CMDLINE = 1u << 3,
    PROCESS_HAS_CGROUP = 1u << 4,
    PROCESS_HAS_NETNS = 1u << 5,
    PROCESS_HAS_FDS = 1u << 6,
    PROCESS_HAS_FD_LIMIT = 1u << 7,
    PROCESS_HAS_PPID = 1u << 8,
    PROCESS_HAS_COMM = 1u << 9,
    PROCESS_HAS_THREADS = 1u << 10,
    PROCESS_HAS_TTY = 1u << 11,
};

enum process_flag {
    PROCESS_EXE_DELETED = 1u << 0, /* /proc/PID/exe ends in " (deleted)" */
    PROCESS_EXE_MEMFD = 1u << 1,
    PROCESS_EXE_REPLACED = 1u << 4, /* deleted, and a file is at its path again */
    PROCESS_FDS_HIDDEN = 1u << 2,   /* its descriptors may not be read: no permission */
    PROCESS_GONE = 1u << 3,         /* ended while it was being read */
    PROCESS_SOCKETLESS = 1u << 5, /* its program is deleted, and none of its descriptors a socket */
};

/* pid and start time together are its identity. Strings are offsets into snapshot.strings. */
struct process {
    uint64_t start_ticks; /* clock ticks after boot: field 22 of /proc/PID/stat */
    uint32_t has;         /* enum process_has */
    uint32_t flags;       /* enum process_flag */
    uint32_t pid;         /* thread group id, as in our /proc */
    uint32_t ppid;
    uint32_t pgid;     /* process group; known when ppid is, but for one that is gone */
    uint32_t uid;      /* effective: owner of /proc/PID */
    uint32_t comm;     /* string: /proc/PID/comm or BPF, never from stat */
    uint32_t exe;      /* string: /proc/PID/exe, without " (deleted)" */
    uint32_t cmdline;  /* string: arguments joined by blanks */
    uint32_t argv0;    /* string: the first of them */
    uint32_t cgroup;   /* string: path in the cgroup2 (or name=systemd) hierarchy */
    uint32_t netns;    /* index into snapshot.netns */
    uint32_t fds;      /* open descriptors */
    uint32_t fd_limit; /* soft RLIMIT_NOFILE */
    uint32_t threads;  /* number of threads */
    uint32_t tty;      /* device number of the controlling terminal; 0: it has none */
};

/* Whether a process has a name as threads of the kernel have. */
bool process_poses_as_kernel(const char *comm);

/* How the machine calls a user id; only in recordings. */
struct user {
    uint32_t uid;
    uint32_t name; /* string */
};

/* One thread, only listed when asked for. */
struct thread {
    uint32_t process; /* index into snapshot.processes */
    uint32_t tid;
    uint32_t comm;          /* string */
    uint32_t private_files; /* 1: has a descriptor table of its own (kcmp KCMP_FILES) */
};

/* A descriptor that is a socket. The same socket has one of these for every descriptor of every
 * process that shares it. */
struct holder {
    uint32_t inode;   /* of the socket, never 0 */
    uint32_t process; /* index into snapshot.processes */
    uint32_t tid;     /* 0: the table of the whole process; else the thread with its own table */
    int32_t fd;
};

/* How a descriptor is open; only where it was asked for. */
struct fd_flags {
    uint32_t holder; /* index into snapshot.holders; ascending */
    uint32_t flags;  /* of open(2), from /proc/PID/fdinfo (since 2.6.22) */
};
