/* SPDX-License-Identifier: MIT */
/* Attaches programs of BPF: what comes of it is a link, which goes with its descriptor. */
#include "bpf/attach.h"

#include "base/cleanup.h"
#include "bpf/call.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define CGROUP2_MAGIC 0x63677270
#define CGROUP2_ROOT_INODE 1 /* of the whole machine; that of a cgroup namespace has another */

int attach_tracing(int prog_fd)
{
    union bpf_attr attr = bpf_no_attr();

    attr.raw_tracepoint.prog_fd = (uint32_t)prog_fd;
    return bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr);
}

/* The cgroup of everything, or -EXDEV for one that is only a part. */
static int check_root(int fd)
{
    struct statfs system;
    struct stat status;

    if (fstatfs(fd, &system) < 0 || fstat(fd, &status) < 0)
        return -errno;
    return system.f_type == CGROUP2_MAGIC && status.st_ino == CGROUP2_ROOT_INODE ? 0 : -EXDEV;
}

static int open_root_at(int directory, const char *path)
{
    CLEANUP_CLOSE int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : check_root(fd);

    return r < 0 ? r : TAKE_FD(fd);
}

/* A mount of our own that is attached nowhere, and goes with its descriptor (since 5.2). */
static int open_detached_root(void)
{
    CLEANUP_CLOSE int context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
    CLEANUP_CLOSE int mount = -1;

    if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    return mount < 0 ? -errno : open_root_at(mount, ".");
}

static int open_cgroup_root(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    int r = -ENOENT;

    for (size_t i = 0; i < ARRAY_SIZE(places) && r < 0; i++)
        r = open_root_at(AT_FDCWD, places[i]);
    return r < 0 ? open_detached_root() : r;
}

int attach_to_root_cgroup(int prog_fd, enum bpf_attach_type type)
{
    CLEANUP_CLOSE int root = open_cgroup_root();
    union bpf_attr attr = bpf_no_attr();

    attr.link_create.prog_fd = (uint32_t)prog_fd;
    attr.link_create.target_fd = (uint32_t)root;
    attr.link_create.attach_type = type;
    return root < 0 ? root : bpf_call(BPF_LINK_CREATE, &attr);
}
