/* SPDX-License-Identifier: MIT */
/* Network namespaces: where they can be seen, and what a user's word for one means. */
#include "collect/netns_scan.h"

#include "collect/netns.h"
#include "collect/proc_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* The kernel's limit of pids (PID_MAX_LIMIT). Namespaces have inode numbers far above it. */
#define LAST_PID 4194304u

static const char *const name_directories[] = {"/run/netns", "/var/run/netns"};

/* A file that only the machine's first network namespace has: what is for all of them is set there.
 */
#define ONLY_FIRST "/proc/sys/net/core/netdev_max_backlog"

/* A decimal number of at most 32 bits and nothing else. */
static int parse_number(const char *text, uint32_t *ret_number)
{
    uint64_t number;

    if (!proc_parse_number(&text, &number) || *text || number > UINT32_MAX)
        return -EINVAL;
    *ret_number = (uint32_t)number;
    return 0;
}

/* "net:[4026531840]" */
static int parse_label(char *label, uint32_t *ret_inode)
{
    size_t length = strlen(label);
    uint32_t inode;

    if (length < 6 || strncmp(label, "net:[", 5) != 0 || label[length - 1] != ']')
        return -EINVAL;
    label[length - 1] = '\0';
    if (parse_number(label + 5, &inode) < 0 || inode == 0)
        return -EINVAL;
    *ret_inode = inode;
    return 0;
}

/* Inode of a file of nsfs that is a network namespace; -EINVAL when it is something else. */
static int file_inode(const char *path, uint32_t *ret_inode)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
        return -EINVAL;
    *ret_inode = (uint32_t)status.st_ino;
    return 0;
}

static void count_unseen(struct netns_unseen *unseen, int error)
{
    if (error == EACCES || error == EPERM)
        unseen->hidden++;
    else if (error != ENOENT && error != ESRCH)
        unseen->error = -error;
}

static int scan_directory(const char *directory, dev_t nsfs, netns_sighting_fn *fn, void *context,
                          struct netns_unseen *unseen)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    int r = 0;

    if (!stream) {
        count_unseen(unseen, errno);
        return 0;
    }
    while (r == 0 && (errno = 0, entry = readdir(stream))) {
        struct netns_sighting sighting = {.name = entry->d_name};
        struct stat status;
        char path[PATH_MAX];

        if (fstatat(dirfd(stream), entry->d_name, &status, 0) < 0 || status.st_dev != nsfs)
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        sighting.inode = (uint32_t)status.st_ino;
        sighting.path = path;
        r = fn(context, &sighting);
    }
    if (r == 0 && errno)
        count_unseen(unseen, errno);
    closedir(stream);
    return r;
}

/*
 * A name without a mount on it (left behind by a crash) is an ordinary empty file: only what lies
 * in nsfs counts.
 */
int netns_scan_names(netns_sighting_fn *fn, void *context, struct netns_unseen *unseen)
{
    struct stat status, first = {0};
    int r = 0;

    if (stat("/proc/self/ns/net", &status) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(name_directories) && r == 0; i++) {
        struct stat directory;

        if (stat(name_directories[i], &directory) < 0)
            continue;
        /* /var/run is mostly a link to /run. */
        if (directory.st_ino == first.st_ino && directory.st_dev == first.st_dev)
            continue;
        first = directory;
        r = scan_directory(name_directories[i], status.st_dev, fn, context, unseen);
    }
    return r;
}

/*
 * Fields: id, parent, device, root, mount point, options, ...; the root of a namespace file is
 * "net:[inode]".
 */
int netns_parse_mount(char *line, struct netns_sighting *ret_sighting)
{
    char *fields[5], *slash;
    uint32_t inode;

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        fields[i] = strsep(&line, " ");
    if (!line || !strstr(line, " - nsfs ") || parse_label(fields[3], &inode) < 0)
        return -EINVAL;
    proc_unescape(fields[4]);
    slash = strrchr(fields[4], '/');
    *ret_sighting = (struct netns_sighting){
        .inode = inode, .path = fields[4], .name = slash ? slash + 1 : fields[4]};
    return 0;
}

int netns_scan_mounts(netns_sighting_fn *fn, void *context, struct netns_unseen *unseen)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    CLEANUP_FREE char *line = NULL;
    size_t capacity = 0;
    int r = 0;

    if (!file) {
        count_unseen(unseen, errno);
        return 0;
    }
    while (r == 0 && getline(&line, &capacity, file) >= 0) {
        struct netns_sighting sighting;

        if (netns_parse_mount(line, &sighting) == 0)
            r = fn(context, &sighting);
    }
    fclose(file);
    return r;
}

int netns_initial(uint32_t *ret_inode, uint32_t *ret_pid)
{
    struct stat status;
    uint32_t pid = 0;

    if (stat("/proc/1/ns/net", &status) == 0)
        pid = 1;
    else if (proc_pid_namespace() == PIDNS_FIRST && stat("/proc/2/ns/net", &status) == 0)
        pid = 2; /* kthreadd */
    else if (access(ONLY_FIRST, F_OK) < 0 || stat("/proc/self/ns/net", &status) < 0)
        return -ENOENT;
    *ret_inode = (uint32_t)status.st_ino;
    *ret_pid = pid;
    return 0;
}

/* The machine's process 1 is in the first namespace, and so are the threads of the kernel. */
static bool is_known_to_be_first(uint32_t pid)
{
    return pid == 1 && proc_pid_namespace() == PIDNS_FIRST;
}

/* Of a process; the text of the link costs less than what it leads to. */
static int read_link(int proc, uint32_t pid, uint32_t *ret_inode)
{
    char path[32], text[32];
    ssize_t length;

    snprintf(path, sizeof(path), "%u/ns/net", pid);
    length = readlinkat(proc, path, text, sizeof(text) - 1);
    if (length < 0)
        return proc_failure(proc, path, -errno);
    text[length] = '\0';
    return parse_label(text, ret_inode);
}

int netns_scan_processes(netns_sighting_fn *fn, void *context, struct netns_unseen *unseen)
{
    DIR *stream = opendir("/proc");
    struct dirent *entry;
    int r = 0;

    if (!stream)
        count_unseen(unseen, errno);
    while (r == 0 && stream && (errno = 0, entry = readdir(stream))) {
        struct netns_sighting sighting = {0};
        int error;

        if (parse_number(entry->d_name, &sighting.pid) < 0)
            continue;
        error = read_link(dirfd(stream), sighting.pid, &sighting.inode);
        if (error == 0)
            r = fn(context, &sighting);
        else if (!is_known_to_be_first(sighting.pid))
            count_unseen(unseen, -error);
    }
    if (r == 0 && stream && errno)
        count_unseen(unseen, errno);
    if (stream)
        closedir(stream);
    return r;
}

static int other_inode(void *context, const struct netns_sighting *sighting)
{
    return sighting->inode != *(const uint32_t *)context;
}

bool netns_has_others(void)
{
    struct netns_unseen unseen = {0};
    uint32_t own;

    return file_inode("/proc/self/ns/net", &own) == 0 &&
           (netns_scan_names(other_inode, &own, &unseen) ||
            netns_scan_mounts(other_inode, &own, &unseen) ||
            netns_scan_processes(other_inode, &own, &unseen));
}

static int same_inode(void *context, const struct netns_sighting *sighting)
{
    return sighting->inode == *(const uint32_t *)context;
}

/* 0 when some place refers to the namespace; -EACCES: none that we may see. */
static int check_inode(uint32_t inode)
{
    struct netns_unseen unseen = {0};
    int r = netns_scan_names(same_inode, &inode, &unseen);

    if (r == 0)
        r = netns_scan_mounts(same_inode, &inode, &unseen);
    if (r == 0)
        r = netns_scan_processes(same_inode, &inode, &unseen);
    if (r == 0)
        return unseen.hidden ? -EACCES : -ESRCH;
    return 0;
}

static int parse_pid(uint32_t pid, uint32_t *ret_inode)
{
    char path[32];
    int r;

    snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
    r = file_inode(path, ret_inode);
    return r == -ENOENT ? -ESRCH : r;
}

static int parse_name(const char *text, uint32_t *ret_inode)
{
    char path[PATH_MAX];
    int r = -ENOENT;

    if (strchr(text, '/'))
        return file_inode(text, ret_inode);
    if (!*text || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(name_directories) && r == -ENOENT; i++) {
        if (snprintf(path, sizeof(path), "%s/%s", name_directories[i], text) >= (int)sizeof(path))
            return -ENAMETOOLONG;
        r = file_inode(path, ret_inode);
    }
    return r;
}

int netns_parse(const char *text, uint32_t *ret_inode)
{
    uint32_t number, inode = 0, pid;
    int r = parse_name(text, &inode);

    if (r == -ENOENT && strcmp(text, "init") == 0)
        r = netns_initial(&inode, &pid);
    else if (r == -ENOENT && parse_number(text, &number) == 0) {
        inode = number;
        r = number <= LAST_PID ? parse_pid(number, &inode) : check_inode(number);
    }
    if (r == 0)
        *ret_inode = inode;
    return r;
}
