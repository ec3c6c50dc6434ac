/* SPDX-License-Identifier: MIT */
/* Paths of the cgroup2 ids that sockets, flows and events carry. */
#include "collect/proc_file.h"
#include "collect/process_facts.h"
#include "collect/process_text.h"
#include "collect/source.h"

#include "base/buf.h"
#include "base/vec.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCE "cgroup2"

/* Deeper than any real tree; the kernel's own limit is cgroup.max.depth, without one by default. */
#define MAX_DEPTH 64

/*
 * Type of a kernfs file handle, which is the bare 64-bit id (FILEID_KERNFS in
 * include/linux/exportfs.h, since 5.5).
 */
#define HANDLE_KERNFS 0xfe

struct cgroup_names {
    struct snapshot *snapshot;
    uint64_t *ids; /* those to be named */
    uint32_t ids_count, ids_capacity;
    struct map left; /* id_key() of those that have not been found -> index into ids */
    struct proc_mount mount;
    struct buf path; /* of the directory being walked, from the root of the hierarchy; "" for the
                        root */
};

/*
 * The inode of a cgroup directory is its id; a 32-bit kernel has only the lower half as inode,
 * which is unique among living cgroups.
 */
static uint64_t id_key(uint64_t id)
{
    return sizeof(long) == 4 ? (uint32_t)id : id;
}

static int add_id(struct cgroup_names *names, uint64_t id)
{
    int r;

    if (!id || map_get(&names->snapshot->cgroup_index, id) != MAP_NONE ||
        map_get(&names->left, id_key(id)) != MAP_NONE)
        return 0;
    r = VEC_RESERVE(&names->ids, &names->ids_capacity, names->ids_count, 1);
    if (r < 0)
        return r;
    names->ids[names->ids_count] = id;
    return map_set(&names->left, id_key(id), names->ids_count++);
}

static int add_ids(struct cgroup_names *names, uint64_t needs)
{
    const struct snapshot *snapshot = names->snapshot;
    uint32_t sockets = needs & NEED_SOCKET_CGROUP ? snapshot->sockets_count : 0;
    int r = 0;

    for (uint32_t i = 0; i < sockets && r == 0; i++)
        if (snapshot->sockets[i].has & SOCKET_HAS_CGROUP)
            r = add_id(names, snapshot->sockets[i].cgroup_id);
    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++)
        r = add_id(names, snapshot->flows[i].cgroup_id);
    for (uint32_t i = 0; i < snapshot->events_count && r == 0; i++)
        r = add_id(names, snapshot->events[i].cgroup_id);
    return r;
}

/*
 * `path` is relative to the root of the mounted part: "" or "/a/b". Ids that nobody asked for are
 * passed over.
 */
static int add_name(struct cgroup_names *names, uint64_t id, const char *path)
{
    uint32_t index = map_get(&names->left, id_key(id));
    const char *root = names->mount.root;
    char whole[PATH_MAX * 2];

    if (index == MAP_NONE)
        return 0;
    map_remove(&names->left, id_key(id));
    snprintf(whole, sizeof(whole), "%s%s", strcmp(root, "/") == 0 ? "" : root, path);
    return snapshot_add_cgroup(names->snapshot, names->ids[index], whole[0] ? whole : "/");
}

/*
 * One id without a walk: open_by_handle_at(2) finds the directory, the descriptor's link in /proc
 * its path. Needs CAP_DAC_READ_SEARCH.
 */
static int open_cgroup(int mount, uint64_t id)
{
    union {
        struct file_handle handle;
        unsigned char bytes[sizeof(struct file_handle) + sizeof(id)];
    } request = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};
    int fd;

    memcpy(request.handle.f_handle, &id, sizeof(id));
    fd = open_by_handle_at(mount, &request.handle, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int name_by_handle(struct cgroup_names *names, int mount, uint64_t id)
{
    size_t skip = strlen(names->mount.point);
    char link[64], path[PATH_MAX];
    CLEANUP_CLOSE int fd = open_cgroup(mount, id);
    ssize_t length;

    if (fd < 0)
        return fd;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    if (length < 0)
        return -errno;
    path[length] = '\0';
    if ((size_t)length < skip || memcmp(path, names->mount.point, skip) != 0)
        return -EXDEV;
    return add_name(names, id, path + skip);
}

/* 0 when the kernel answered for every id, be it that the cgroup is gone; else the walk has to find
 * the rest. */
static int name_all_by_handle(struct cgroup_names *names, int mount)
{
    int r = 0;

    for (uint32_t i = 0; i < names->ids_count && r == 0; i++)
        if (map_get(&names->left, id_key(names->ids[i])) == i) {
            r = name_by_handle(names, mount, names->ids[i]);
            r = r == -ESTALE ? 0 : r;
        }
    return r;
}

static int walk(struct cgroup_names *names, int at, const char *name, unsigned int depth);

static int walk_entries(struct cgroup_names *names, struct proc_dir *dir, unsigned int depth)
{
    size_t length = names->path.length;
    const char *name;

    /* a directory that vanishes ends early */
    while (names->left.count > 0 && proc_dir_next(dir, &name) > 0) {
        int r;

        if (dir->type != DT_DIR)
            continue;
        buf_byte(&names->path, '/');
        buf_puts(&names->path, name);
        r = add_name(names, dir->inode, buf_string(&names->path));
        if (r == 0)
            r = walk(names, dir->fd, name, depth + 1);
        names->path.length = length;
        if (r < 0)
            return r;
    }
    return names->path.error;
}

/*
 * On the heap, because a directory buffer for each level would be too much for the stack. A
 * directory that vanished is passed over.
 */
static int walk(struct cgroup_names *names, int at, const char *name, unsigned int depth)
{
    CLEANUP_FREE struct proc_dir *dir = NULL;
    int r;

    if (depth > MAX_DEPTH || names->left.count == 0)
        return 0;
    dir = malloc(sizeof(*dir));
    if (!dir)
        return -ENOMEM;
    if (proc_dir_open(dir, at, name) < 0)
        return 0;
    r = walk_entries(names, dir, depth);
    proc_dir_close(dir);
    return r;
}

/* An id that has no path will never have one: nobody needs to ask again. */
static int name_rest(struct cgroup_names *names)
{
    int r = 0;

    for (uint32_t i = 0; i < names->ids_count && r == 0; i++)
        if (map_get(&names->left, id_key(names->ids[i])) == i)
            r = snapshot_add_cgroup(names->snapshot, names->ids[i], "");
    return r;
}

static int name_cgroups(struct cgroup_names *names)
{
    CLEANUP_CLOSE int mount = open(names->mount.point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat stat;
    int r;

    if (mount < 0 || fstat(mount, &stat) < 0) {
        snapshot_note(names->snapshot, NOTE_DETAIL, SOURCE, -errno,
                      "cgroups have no names: %s cannot be read", names->mount.point);
        return 0;
    }
    r = add_name(names, stat.st_ino, "");
    if (r == 0 && name_all_by_handle(names, mount) != 0)
        r = walk(names, mount, ".", 0);
    return r < 0 ? r : name_rest(names);
}

/* The usual places first: elsewhere may be a container's part of the hierarchy. */
static int find_hierarchy(int proc, struct proc_mount *ret_mount)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL};
    int r = -ENOENT;

    for (size_t i = 0; i < ARRAY_SIZE(places) && r == -ENOENT; i++)
        r = proc_find_mount(proc, "cgroup2", places[i], ret_mount);
    return r;
}

/* Every process is in every hierarchy, so that each can tell of all. */
static bool has_v1(int proc)
{
    char text[8];
    size_t length;

    return proc_read(proc, "self/cgroup", text, sizeof(text), &length) == 0 &&
           process_cgroup_has_v1(text);
}

/* Those that were added; frees them. 0 or -ENOMEM. */
static int name_added(struct cgroup_names *names)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = 0, error;

    names->snapshot->cgroup_v1 = proc >= 0 && has_v1(proc);
    if (names->ids_count > 0) {
        error = proc < 0 ? -ENOENT : find_hierarchy(proc, &names->mount);
        if (error == -ENOMEM)
            r = error;
        else if (error < 0)
            snapshot_note(names->snapshot, NOTE_DETAIL, SOURCE, error,
                          "cgroups have no names: no cgroup2 file system is mounted");
        else
            r = name_cgroups(names);
    }
    proc_mount_done(&names->mount);
    map_done(&names->left);
    free(names->ids);
    buf_done(&names->path);
    return r == -ENOMEM ? r : 0;
}

static int collect_cgroups(struct collection *collection)
{
    struct cgroup_names names = {.snapshot = collection->snapshot, .path = BUF_INIT};
    int added = add_ids(&names, collection->request->needs), named = name_added(&names);

    return added < 0 ? added : named;
}

int cgroup_read_path(struct snapshot *snapshot, uint64_t id)
{
    struct cgroup_names names = {.snapshot = snapshot, .path = BUF_INIT};
    int added = add_id(&names, id), named = name_added(&names);

    return added < 0 ? added : named;
}

const struct collector collector_cgroups = {
    .name = "cgroups",
    .provides = NEED_SOCKET_CGROUP | NEED_FLOWS,
    .collect = collect_cgroups,
};
