/* SPDX-License-Identifier: MIT */
/* Facts of processes from /proc/PID: those that were asked for and no other source brought. */
#include "collect/fd_table.h"
#include "collect/proc_file.h"
#include "collect/process_facts.h"
#include "collect/process_text.h"
#include "collect/source.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SOURCE "/proc/PID"

/* Every need that this source serves. */
#define NEED_PROCESS_FACTS                                                                         \
    (NEED_PROCESS_STAT | NEED_EXE | NEED_CMDLINE | NEED_CGROUP | NEED_USER | NEED_FDS |            \
     NEED_PROCESS_NETNS)

struct process_reader {
    struct snapshot *snapshot;
    uint64_t needs;
    int proc;           /* descriptor of /proc */
    bool pids_are_ours; /* /proc is of the pid namespace that system calls mean */
    bool fds_are_size;  /* the size of /proc/PID/fd is its number of descriptors (since 6.2) */
    uint32_t index;     /* of the process being read, which stays valid when the array moves */
    int failure;        /* why some fact could not be read; 0 none */
    int dir; /* of its directory: all facts are of one process, whoever gets its pid later */
};

/* A fact that is missing for another reason than that the process ended or is somebody else's. */
static int keep_going(struct process_reader *reader, int error)
{
    if (error < 0 && error != -EACCES && error != -EPERM && !proc_is_gone(error))
        reader->failure = error;
    return 0;
}

static struct process *current(struct process_reader *reader)
{
    return &reader->snapshot->processes[reader->index];
}

/* A string fact and the bit that says it is known. */
static int set_string(struct process_reader *reader, uint32_t *field, uint32_t has,
                      const char *bytes, size_t length)
{
    int r = snapshot_intern(reader->snapshot, bytes, length, field);

    if (r == 0)
        current(reader)->has |= has;
    return r;
}

/*
 * The start time is also read when an earlier source told it: another one means that the pid has
 * been given to another process since.
 */
static int read_stat(struct process_reader *reader)
{
    struct process *process = current(reader);
    struct process_stat stat;
    char text[1024];
    size_t length;
    int r = proc_read(reader->dir, "stat", text, sizeof(text), &length);

    if (r < 0 || !process_stat_parse(text, &stat))
        return keep_going(reader, r);
    if ((process->has & PROCESS_HAS_START) && process->start_ticks != stat.start_ticks) {
        process->flags |= PROCESS_GONE;
        return 0;
    }
    process->start_ticks = stat.start_ticks;
    process->ppid = stat.ppid;
    process->pgid = stat.pgid;
    process->threads = stat.threads;
    process->tty = stat.tty;
    process->has |= PROCESS_HAS_START | PROCESS_HAS_PPID | PROCESS_HAS_THREADS | PROCESS_HAS_TTY;
    return 0;
}

/* As the process sees it: in its own mounts. */
static bool is_there(struct process_reader *reader, const char *path, size_t length)
{
    char below[PATH_MAX + 8];
    struct stat stat;

    snprintf(below, sizeof(below), "root%.*s", (int)length, path);
    return fstatat(reader->dir, below, &stat, 0) == 0;
}

/* Also where some descriptor cannot be told. */
static bool may_have_sockets(const struct process_reader *reader)
{
    bool found = false;
    struct proc_dir dir;
    uint32_t number;
    int r = proc_dir_open(&dir, reader->dir, "fd");

    if (r < 0)
        return true;
    while (!found && (r = proc_dir_next_number(&dir, &number)) > 0) {
        char name[16], link[16];

        snprintf(name, sizeof(name), "%u", number);
        found = readlinkat(dir.fd, name, link, sizeof(link)) < 7 || memcmp(link, "socket:", 7) == 0;
    }
    proc_dir_close(&dir);
    return found || r < 0;
}

/* ENOENT is a kernel thread or a zombie: known to have no program. */
static int read_exe(struct process_reader *reader)
{
    char link[PATH_MAX];
    ssize_t count = readlinkat(reader->dir, "exe", link, sizeof(link));
    size_t length = count < 0 ? 0 : (size_t)count;
    struct process *process = current(reader);

    if (count < 0 && errno == ESRCH)
        process->flags |= PROCESS_GONE;
    if ((count < 0 && errno != ENOENT) || length == sizeof(link))
        return keep_going(reader, count < 0 ? -errno : -ENAMETOOLONG);
    if (length >= 7 && memcmp(link, "/memfd:", 7) == 0) {
        process->flags |= PROCESS_EXE_MEMFD; /* such a file is always deleted */
        process_path_undelete(link, &length);
    } else if (process_path_undelete(link, &length)) {
        process->flags |= PROCESS_EXE_DELETED;
        process->flags |= is_there(reader, link, length) ? PROCESS_EXE_REPLACED : 0;
    }
    if (process->flags & (PROCESS_EXE_DELETED | PROCESS_EXE_MEMFD) && !may_have_sockets(reader))
        process->flags |= PROCESS_SOCKETLESS;
    return set_string(reader, &process->exe, PROCESS_HAS_EXE, link, length);
}

static int read_cmdline(struct process_reader *reader)
{
    char text[4096 + 1];
    size_t length;
    int r = proc_read(reader->dir, "cmdline", text, sizeof(text), &length);

    if (r < 0)
        return keep_going(reader, r);
    r = set_string(reader, &current(reader)->argv0, 0, text, strnlen(text, length));
    if (r < 0)
        return r;
    length = process_cmdline_join(text, length);
    return set_string(reader, &current(reader)->cmdline, PROCESS_HAS_CMDLINE, text, length);
}

static int read_cgroup(struct process_reader *reader)
{
    const char *path;
    char text[16384];
    size_t length;
    int r = proc_read(reader->dir, "cgroup", text, sizeof(text), &length);

    if (r < 0 || !process_cgroup_parse(text, &path, &length))
        return keep_going(reader, r);
    process_path_undelete(path, &length);
    return set_string(reader, &current(reader)->cgroup, PROCESS_HAS_CGROUP, path, length);
}

static int read_user(struct process_reader *reader)
{
    struct process *process = current(reader);
    struct stat stat;

    if (fstat(reader->dir, &stat) == 0) {
        process->uid = stat.st_uid;
        process->has |= PROCESS_HAS_UID;
    }
    return 0;
}

/* Before 6.2 the entries have to be counted, which is not allowed for processes of others. */
static int count_fds(struct process_reader *reader, uint32_t *ret_count)
{
    struct proc_dir dir;
    uint32_t count = 0, number;
    struct stat stat;
    int r;

    if (reader->fds_are_size) {
        if (fstatat(reader->dir, "fd", &stat, 0) < 0)
            return -errno;
        *ret_count = (uint32_t)stat.st_size;
        return 0;
    }
    r = proc_dir_open(&dir, reader->dir, "fd");
    if (r < 0)
        return r;
    while ((r = proc_dir_next_number(&dir, &number)) > 0)
        count++;
    proc_dir_close(&dir);
    if (r == 0)
        *ret_count = count;
    return r;
}

static uint32_t fd_limit_of(rlim_t limit)
{
    return limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
}

/* Everybody may read the file; the call is twenty times as fast. */
static int read_fd_limit(struct process_reader *reader)
{
    struct process *process = current(reader);
    struct rlimit limit;
    char text[4096];
    size_t length;
    int r;

    if (reader->pids_are_ours && prlimit((pid_t)process->pid, RLIMIT_NOFILE, NULL, &limit) == 0) {
        process->fd_limit = fd_limit_of(limit.rlim_cur);
        process->has |= PROCESS_HAS_FD_LIMIT;
        return 0;
    }
    r = proc_read(reader->dir, "limits", text, sizeof(text), &length);
    if (r == 0 && process_fd_limit_parse(text, &process->fd_limit))
        process->has |= PROCESS_HAS_FD_LIMIT;
    return r;
}

/* The limit first: as long as the directory answers, the pid is nobody else's. */
static int read_fds(struct process_reader *reader)
{
    struct process *process = current(reader);
    int r;

    keep_going(reader, read_fd_limit(reader));
    r = process->has & PROCESS_HAS_FDS ? 0 : count_fds(reader, &process->fds);
    if (r == 0)
        process->has |= PROCESS_HAS_FDS;
    if (proc_is_gone(r))
        process->has &= ~(uint32_t)PROCESS_HAS_FD_LIMIT;
    return keep_going(reader, r);
}

static int read_netns(struct process_reader *reader)
{
    struct snapshot *snapshot = reader->snapshot;
    struct process *process = current(reader);
    struct stat stat;
    int r;

    if (fstatat(reader->dir, "ns/net", &stat, 0) < 0)
        return keep_going(reader, -errno);
    r = snapshot_add_netns(snapshot, (uint32_t)stat.st_ino, &process->netns);
    if (r < 0)
        return r;
    process->has |= PROCESS_HAS_NETNS;
    if (snapshot->netns[process->netns].pid == 0)
        snapshot->netns[process->netns].pid = process->pid;
    return 0;
}

/*
 * Which file brings which facts, in the order of reading: stat first, because it may say that this
 * is not the process we know.
 */
static const struct fact_reader {
    uint64_t need; /* enum need that asks for it */
    uint32_t has;  /* enum process_has that it brings */
    int (*read)(struct process_reader *reader);
} fact_readers[] = {
    {NEED_PROCESS_STAT, PROCESS_HAS_START | PROCESS_HAS_PPID | PROCESS_HAS_THREADS, read_stat},
    {NEED_EXE, PROCESS_HAS_EXE, read_exe},
    {NEED_CMDLINE, PROCESS_HAS_CMDLINE, read_cmdline},
    {NEED_CGROUP, PROCESS_HAS_CGROUP, read_cgroup},
    {NEED_USER, PROCESS_HAS_UID, read_user},
    {NEED_FDS, PROCESS_HAS_FDS | PROCESS_HAS_FD_LIMIT, read_fds},
    {NEED_PROCESS_NETNS, PROCESS_HAS_NETNS, read_netns},
};

static bool is_wanted(const struct process_reader *reader, const struct fact_reader *fact)
{
    uint32_t has = reader->snapshot->processes[reader->index].has;

    return (reader->needs & fact->need) && (has & fact->has) != fact->has;
}

static bool is_any_wanted(const struct process_reader *reader)
{
    for (size_t i = 0; i < ARRAY_SIZE(fact_readers); i++)
        if (is_wanted(reader, &fact_readers[i]))
            return true;
    return false;
}

static int read_facts(struct process_reader *reader)
{
    int r = 0;

    if (current(reader)->has & PROCESS_HAS_START)
        r = read_stat(reader);
    for (size_t i = 0; i < ARRAY_SIZE(fact_readers) && r == 0; i++)
        if (!(current(reader)->flags & PROCESS_GONE) && is_wanted(reader, &fact_readers[i]))
            r = fact_readers[i].read(reader);
    return r;
}

static int read_process(struct process_reader *reader, uint32_t index)
{
    struct snapshot *snapshot = reader->snapshot;
    CLEANUP_CLOSE int dir = -1;
    char path[16];

    reader->index = index;
    if (!is_any_wanted(reader))
        return 0;
    snprintf(path, sizeof(path), "%u", snapshot->processes[index].pid);
    dir = openat(reader->proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        if (proc_is_gone(-errno))
            snapshot->processes[index].flags |= PROCESS_GONE;
        return keep_going(reader, -errno);
    }
    reader->dir = dir;
    return read_facts(reader);
}

static int add_listed(struct snapshot *snapshot, const uint32_t *pids, uint32_t count, int proc)
{
    uint32_t index;
    char path[16];
    int r = 0;

    for (uint32_t i = 0; i < count && r == 0; i++) {
        snprintf(path, sizeof(path), "%u", pids[i]);
        if (faccessat(proc, path, F_OK, 0) == 0)
            r = process_add_named(snapshot, proc, pids[i], &index);
    }
    return r;
}

static int add_all(struct snapshot *snapshot, int proc)
{
    struct proc_dir dir;
    uint32_t pid, index;
    int r = proc_dir_open(&dir, proc, ".");

    if (r < 0)
        return r;
    while ((r = proc_dir_next_number(&dir, &pid)) > 0) {
        r = process_add_named(snapshot, proc, pid, &index);
        if (r < 0)
            break;
    }
    proc_dir_close(&dir);
    return r;
}

/* Processes without sockets too; when single pids were asked for, only those. */
static int add_wanted(const struct collection *collection, int proc)
{
    const struct request *request = collection->request;

    if (request->pids)
        return add_listed(collection->snapshot, request->pids, request->pid_count, proc);
    if (collection->suspects_known && !(request->needs & NEED_ALL_PROCESSES))
        return add_listed(collection->snapshot, collection->suspects, collection->suspect_count,
                          proc);
    return add_all(collection->snapshot, proc);
}

static bool fd_size_is_count(int proc)
{
    struct stat stat;

    return fstatat(proc, "self/fd", &stat, 0) == 0 && stat.st_size > 0;
}

static bool pids_are_ours(int proc)
{
    char self[16];
    ssize_t length = readlinkat(proc, "self", self, sizeof(self) - 1);

    if (length <= 0)
        return false;
    self[length] = '\0';
    return strtol(self, NULL, 10) == getpid();
}

static int collect_processes(struct collection *collection)
{
    struct snapshot *snapshot = collection->snapshot;
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct process_reader reader = {.snapshot = snapshot, .needs = collection->request->needs};
    int r = proc < 0 ? -errno : 0;

    reader.proc = proc;
    if (proc >= 0 && reader.needs & NEED_FDS) {
        reader.pids_are_ours = pids_are_ours(proc);
        reader.fds_are_size = fd_size_is_count(proc);
    }
    if (r == 0 && reader.needs & (NEED_ALL_PROCESSES | NEED_SUSPECTS))
        r = add_wanted(collection, proc);
    for (uint32_t i = 0; r == 0 && i < snapshot->processes_count; i++)
        r = read_process(&reader, i);
    if (r == -ENOMEM)
        return r;
    if (r < 0 && reader.needs & (NEED_ALL_PROCESSES | NEED_SUSPECTS))
        snapshot_note(snapshot, NOTE_INCOMPLETE, SOURCE, r, "processes are missing");
    else if (r < 0 || reader.failure)
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE, r < 0 ? r : reader.failure,
                      "facts of some processes could not be read");
    return 0;
}

int process_read_facts(struct snapshot *snapshot, uint32_t index, uint64_t needs)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct process_reader reader = {.snapshot = snapshot, .needs = needs, .proc = proc};

    return proc < 0 ? 0 : read_process(&reader, index);
}

const struct collector collector_processes = {
    .name = "processes",
    .provides = NEED_PROCESS_FACTS | NEED_ALL_PROCESSES | NEED_SUSPECTS,
    .collect = collect_processes,
};
