/* SPDX-License-Identifier: MIT */
/* Owners by /proc/PID/fd, without privilege for one's own processes: fallback of the BPF pass. */
#include "collect/fd_table.h"
#include "collect/process_text.h"

#include "base/vec.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCE "/proc/PID/fd"

struct owner_scan {
    struct fd_search search;
    uint32_t *readable; /* owned: pids whose table, or those of their threads, may be read */
    uint32_t readable_count, readable_capacity;
    uint32_t hidden; /* processes whose descriptors may not be read */
    int failure; /* why a table could not be opened, when it was no matter of permission; 0 none */
    int kcmp_error; /* why threads could not be compared; 0 none */
};

static int keep_pid(struct owner_scan *scan, uint32_t pid)
{
    int r = VEC_RESERVE(&scan->readable, &scan->readable_capacity, scan->readable_count, 1);

    if (r == 0)
        scan->readable[scan->readable_count++] = pid;
    return r;
}

static bool is_own(int proc, uint32_t pid)
{
    struct stat stat;
    char path[16];

    snprintf(path, sizeof(path), "%u", pid);
    return fstatat(proc, path, &stat, 0) == 0 && stat.st_uid == geteuid();
}

/*
 * Why a table may not be read. Kernel threads and zombies have none, so that it is no loss. That of
 * a process whose first thread has ended belongs to root, while those of its other threads can
 * still be read.
 */
static int look_at_hidden(struct owner_scan *scan, uint32_t pid, bool *ret_hidden)
{
    char path[32], text[1024];
    struct process_stat stat;
    size_t length;

    *ret_hidden = true;
    snprintf(path, sizeof(path), "%u/stat", pid);
    if (proc_read(scan->search.proc, path, text, sizeof(text), &length) < 0 ||
        !process_stat_parse(text, &stat))
        return 0;
    if ((stat.flags & PROCESS_STAT_KERNEL_THREAD) || (stat.state == 'Z' && stat.threads < 2))
        *ret_hidden = false;
    if (stat.state != 'Z' || stat.threads < 2 || !is_own(scan->search.proc, pid))
        return 0;
    *ret_hidden = false;
    return keep_pid(scan, pid);
}

static int add_hidden(struct owner_scan *scan, uint32_t pid)
{
    struct snapshot *snapshot = scan->search.collection->snapshot;
    uint32_t index;
    bool hidden;
    int r = look_at_hidden(scan, pid, &hidden);

    if (r < 0 || !hidden)
        return r;
    scan->hidden++;
    if (!(scan->search.collection->request->needs & NEED_ALL_PROCESSES))
        return 0;
    r = process_add_named(snapshot, scan->search.proc, pid, &index);
    if (r == 0)
        snapshot->processes[index].flags |= PROCESS_FDS_HIDDEN;
    return r;
}

static int keep_readable(struct owner_scan *scan, const struct fd_table *table)
{
    struct snapshot *snapshot = scan->search.collection->snapshot;
    uint64_t needs = scan->search.collection->request->needs;
    uint32_t index = table->process;
    int r = keep_pid(scan, table->pid);

    if (r < 0)
        return r;
    if (index == MAP_NONE && (needs & NEED_ALL_PROCESSES)) {
        r = process_add_named(snapshot, scan->search.proc, table->pid, &index);
        if (r < 0)
            return r;
    }
    if (index != MAP_NONE) {
        snapshot->processes[index].fds = table->entries;
        snapshot->processes[index].has |= PROCESS_HAS_FDS;
    }
    return 0;
}

/* Only a lack of memory ends the search; what else fails is told at its end. */
static int keep_going(struct owner_scan *scan, int error)
{
    bool is_refusal = error == -EACCES || error == -EPERM || error == -ENOSYS;

    if (error == -ENOMEM)
        return error;
    if (error < 0 && !is_refusal && !proc_is_gone(error))
        scan->failure = error;
    return 0;
}

static int scan_process(struct owner_scan *scan, uint32_t pid)
{
    struct fd_table table = {.pid = pid};
    int r = fd_table_search(&scan->search, &table);

    if (r == 0)
        return keep_readable(scan, &table);
    if (r == -EACCES || r == -EPERM)
        return add_hidden(scan, pid);
    return keep_going(scan, r);
}

static int scan_listed(struct owner_scan *scan)
{
    const struct request *request = scan->search.collection->request;
    int r = 0;

    for (uint32_t i = 0; i < request->pid_count && r == 0; i++)
        if (!fd_search_complete(&scan->search))
            r = scan_process(scan, request->pids[i]);
    return r;
}

static int scan_all(struct owner_scan *scan)
{
    struct proc_dir dir;
    uint32_t pid;
    int r = proc_dir_open(&dir, scan->search.proc, ".");

    if (r < 0) {
        scan->failure = r;
        return 0;
    }
    while (!fd_search_complete(&scan->search) && (r = proc_dir_next_number(&dir, &pid)) > 0) {
        r = scan_process(scan, pid);
        if (r < 0)
            break;
    }
    proc_dir_close(&dir);
    if (r < 0 && r != -ENOMEM)
        scan->failure = r;
    return r == -ENOMEM ? r : 0;
}

/*
 * One thread of a process: its table is searched when no other thread was found to have the same
 * one.
 */
static int scan_thread(struct owner_scan *scan, struct private_tables *tables, uint32_t tid)
{
    struct fd_table table = {.pid = tables->pid, .tid = tid};
    int r = private_tables_place(tables, tid);

    if (r == TABLE_PRIVATE)
        r = fd_table_search(&scan->search, &table);
    if (r == -EPERM || r == -ENOSYS) /* of this process only, or of all */
        scan->kcmp_error = r;
    return keep_going(scan, r);
}

static int scan_threads(struct owner_scan *scan, uint32_t pid)
{
    CLEANUP(private_tables_done) struct private_tables tables = {.pid = pid};
    struct proc_dir dir;
    struct stat stat;
    uint32_t tid;
    char path[32];
    int r;

    snprintf(path, sizeof(path), "%u/task", pid);
    if (fstatat(scan->search.proc, path, &stat, 0) < 0)
        return keep_going(scan, -errno);
    if (stat.st_nlink <= 3) /* 2 + threads */
        return 0;
    r = proc_dir_open(&dir, scan->search.proc, path);
    if (r < 0)
        return keep_going(scan, r);
    while ((r = proc_dir_next_number(&dir, &tid)) > 0) {
        r = tid == pid ? 0 : scan_thread(scan, &tables, tid);
        if (r < 0)
            break;
    }
    proc_dir_close(&dir);
    return keep_going(scan, r);
}

/*
 * A thread can have a descriptor table of its own (unshare(CLONE_FILES)), and the table of a
 * process whose first thread has ended is only reachable by its other threads. Both are rare, so
 * that threads are looked at only when asked for or when a socket was left without a holder: this
 * costs a stat a process and a kcmp a thread, while a search of every thread's table would repeat
 * the whole work.
 */
static int scan_all_threads(struct owner_scan *scan)
{
    bool all = scan->search.collection->request->needs & NEED_THREADS;
    int r = 0;

    if (!all && scan->search.collection->request->verbatim)
        return 0;

    for (uint32_t i = 0; i < scan->readable_count && r == 0; i++)
        if (all || scan->search.left > 0)
            r = scan_threads(scan, scan->readable[i]);
    if (scan->kcmp_error && all)
        snapshot_note(scan->search.collection->snapshot, NOTE_INFO, "kcmp", scan->kcmp_error,
                      "threads with a descriptor table of their own cannot be told apart: "
                      "sockets that only one thread holds have no owner");
    return r;
}

/*
 * With hidepid, process 1 cannot be seen (invisible), or not be read (noaccess), by those whom the
 * option is meant for.
 */
static bool note_hidepid(struct snapshot *snapshot, int proc)
{
    CLEANUP(proc_mount_done) struct proc_mount mount = {0};
    const char *option;

    if (faccessat(proc, "1/stat", R_OK, 0) == 0)
        return false;
    if (proc_find_mount(proc, "proc", "/proc", &mount) < 0)
        return false;
    option = strstr(mount.options, "hidepid=");
    if (!option)
        return false;
    snapshot_note(snapshot, NOTE_OWNERS, SOURCE, 0,
                  "/proc is mounted with %.*s: processes of other users, and what sockets they "
                  "own, are hidden. "
                  "Run as root (sudo nwho ...)",
                  (int)strcspn(option, ","), option);
    return true;
}

/* What privilege hides is hidden; what fails is missing. */
static enum note_effect failure_effect(const struct collection *collection)
{
    return collection->request->rows_by_owner ? NOTE_INCOMPLETE : NOTE_OWNERS;
}

/* A tree that is no /proc, where everything that it has is seen. */
static bool is_other_tree(const struct collection *collection)
{
    return collection->request->files && collection->request->files->proc;
}

static void note_hidden(struct owner_scan *scan)
{
    struct snapshot *snapshot = scan->search.collection->snapshot;
    const char *one = scan->hidden == 1 ? "" : "es";

    if (scan->failure)
        snapshot_note(snapshot, failure_effect(scan->search.collection), SOURCE, scan->failure,
                      "descriptors of some processes could not be read (%s): owners of their "
                      "sockets are missing",
                      strerror(-scan->failure));
    if (note_hidepid(snapshot, scan->search.proc))
        return;
    if (scan->hidden == 0 && !scan->failure && !snapshot->pidns_is_init && scan->search.left > 0 &&
        !is_other_tree(scan->search.collection))
        snapshot_note(snapshot, NOTE_OWNERS, SOURCE, -EXDEV,
                      "processes outside of this pid namespace cannot be seen: owners of some "
                      "sockets are hidden. Run nwho outside of the container");
    if (scan->hidden == 0)
        return;
    if (geteuid() == 0)
        snapshot_note(
            snapshot, NOTE_OWNERS, SOURCE, -EACCES,
            "%u process%s may not be read even by this root: owners of their sockets are hidden. "
            "It takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, outside of any container",
            scan->hidden, one);
    else
        snapshot_note(snapshot, NOTE_OWNERS, SOURCE, -EACCES,
                      "%u process%s of other users keep%s descriptors private: owners of their "
                      "sockets are hidden. "
                      "Run as root (sudo nwho ...)",
                      scan->hidden, one, scan->hidden == 1 ? "s its" : " their");
}

/* When every socket has its holder nothing is hidden, whoever else may not be read. */
static void finish(struct owner_scan *scan)
{
    struct collection *collection = scan->search.collection;
    struct snapshot *snapshot = collection->snapshot;
    enum pidns pidns = proc_pid_namespace();

    if (pidns != PIDNS_UNKNOWN)
        snapshot->pidns_is_init = pidns == PIDNS_FIRST;
    if (scan->search.left > 0 || scan->search.every_socket || scan->failure ||
        (collection->request->needs & NEED_ALL_PROCESSES))
        note_hidden(scan);
    if (!scan->failure)
        snapshot->owners_known = 1;
    snapshot_source(snapshot, "owners", SOURCE);
    collection->owners_done = true;
}

static int collect_owners(struct collection *collection)
{
    CLEANUP_CLOSE int proc = -1;
    struct owner_scan scan = {0};
    int r;

    if (collection->owners_done)
        return 0;
    proc = open(collection_proc(collection), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0) {
        snapshot_note(collection->snapshot, failure_effect(collection), SOURCE, -errno,
                      "%s cannot be opened (%s): no owner of any socket is known",
                      collection_proc(collection), strerror(errno));
        return 0;
    }
    collection->snapshot->holders_count = 0; /* of a source that did not finish: each holder is
                                                found once more */
    r = fd_search_init(&scan.search, collection, proc);
    if (r == 0)
        r = collection->request->pids ? scan_listed(&scan) : scan_all(&scan);
    if (r == 0)
        r = scan_all_threads(&scan);
    if (r == 0)
        finish(&scan);
    fd_search_done(&scan.search);
    free(scan.readable);
    return r;
}

const struct collector collector_owners_proc = {
    .name = "owners_proc",
    .provides = NEED_OWNERS | NEED_HELD,
    .source = SOURCE_PROC_FD,
    .collect = collect_owners,
};
