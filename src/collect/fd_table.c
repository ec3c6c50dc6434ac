/* SPDX-License-Identifier: MIT */
/* Descriptor tables: which sockets are in them, and which threads share one. */
#include "collect/fd_table.h"

#include "base/vec.h"
#include "collect/process_text.h"

#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define TEXT_SIZE 1024

int fd_search_init(struct fd_search *search, struct collection *collection, int proc)
{
    const struct snapshot *snapshot = collection->snapshot;
    uint64_t needs = collection->request->needs;
    int r;

    *search = (struct fd_search){
        .collection = collection,
        .proc = proc,
        .every_socket = (!(needs & NEED_SOCKETS) && snapshot->sockets_count == 0) ||
                        needs & NEED_MEMBERS, /* sockets that are in no table may have joined */
        .may_stop = !(needs & (NEED_OWNERS | NEED_ALL_PROCESSES)),
    };
    r = map_reserve(&search->wanted, snapshot->sockets_count);
    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        if (snapshot->sockets[i].inode != 0)
            r = map_set(&search->wanted, snapshot->sockets[i].inode, 0);
    search->left = search->wanted.count;
    return r;
}

void fd_search_done(struct fd_search *search)
{
    map_done(&search->wanted);
}

bool fd_search_complete(const struct fd_search *search)
{
    return search->may_stop && search->left == 0;
}

/* The number in "socket:[N]"; 0 for anything else. */
static uint32_t socket_inode(const char *link, size_t length)
{
    uint64_t inode;

    if (length < 10 || memcmp(link, "socket:[", 8) != 0)
        return 0;
    link += 8;
    if (!proc_parse_number(&link, &inode) || link[0] != ']' || inode > UINT32_MAX)
        return 0;
    return (uint32_t)inode;
}

/*
 * The name of a process, put into `text` of TEXT_SIZE bytes. A tree that stands for /proc may only
 * have its stat. 0 or -errno.
 */
static int read_name(int proc, uint32_t pid, char *text, const char **ret_name, size_t *ret_length)
{
    char path[32];
    int r;

    snprintf(path, sizeof(path), "%u/comm", pid);
    *ret_name = text;
    r = proc_read_comm(proc, path, text, TEXT_SIZE, ret_length);
    if (r != -ENOENT)
        return r;
    snprintf(path, sizeof(path), "%u/stat", pid);
    r = proc_read(proc, path, text, TEXT_SIZE, ret_length);
    return r < 0 || process_stat_name(text, ret_name, ret_length) ? r : -ENOENT;
}

int process_add_named(struct snapshot *snapshot, int proc, uint32_t pid, uint32_t *ret_index)
{
    const char *comm;
    char text[TEXT_SIZE];
    struct process *process;
    uint32_t index, string;
    size_t length;
    int r = snapshot_add_process(snapshot, pid, &index);

    if (r < 0)
        return r;
    process = &snapshot->processes[index];
    *ret_index = index;
    if (process->has & PROCESS_HAS_COMM)
        return 0;
    r = read_name(proc, pid, text, &comm, &length);
    if (r < 0) {
        if (!proc_is_gone(r))
            snapshot_note(snapshot, NOTE_OWNERS, "/proc/PID/comm", r,
                          "names of some processes could not be read");
        return 0;
    }
    r = snapshot_intern(snapshot, comm, length, &string);
    if (r < 0)
        return r;
    process->comm = string;
    process->has |= PROCESS_HAS_COMM;
    return 0;
}

/*
 * Process 1 keeps the sockets that systemd opened on behalf of services. Such a socket is not
 * answered by it alone: the search goes on for the process that works with it.
 */
static int add_holder(struct fd_search *search, struct fd_table *table, uint32_t inode, int32_t fd)
{
    struct snapshot *snapshot = search->collection->snapshot;
    uint32_t held = map_get(&search->wanted, inode);
    int r;

    if (held == MAP_NONE && !search->every_socket)
        return 0;
    if (table->process == MAP_NONE) {
        r = process_add_named(snapshot, search->proc, table->pid, &table->process);
        if (r < 0)
            return r;
    }
    if (held == 0 && table->pid != 1) {
        r = map_set(&search->wanted, inode, 1);
        if (r < 0)
            return r;
        search->left--;
    }
    return snapshot_add_holder(
        snapshot,
        (struct holder){.inode = inode, .process = table->process, .tid = table->tid, .fd = fd});
}

static int search_entries(struct fd_search *search, struct fd_table *table, struct proc_dir *dir)
{
    const char *name;
    uint32_t inode;
    char link[32]; /* a longer link is cut, and is no socket */
    ssize_t length;
    uint64_t fd;
    int r;

    while ((r = proc_dir_next(dir, &name)) > 0) {
        table->entries++;
        length = readlinkat(dir->fd, name, link, sizeof(link) - 1);
        if (length < 0 && errno == ENOENT) /* closed since */
            continue;
        if (length < 0)
            return -errno;
        link[length] = '\0';
        inode = socket_inode(link, (size_t)length);
        if (inode == 0 || !proc_parse_number(&name, &fd))
            continue;
        r = add_holder(search, table, inode, (int32_t)fd);
        if (r < 0)
            return r;
    }
    return r;
}

int fd_table_search(struct fd_search *search, struct fd_table *table)
{
    struct proc_dir dir;
    char path[48];
    int r;

    if (table->tid)
        snprintf(path, sizeof(path), "%u/task/%u/fd", table->pid, table->tid);
    else
        snprintf(path, sizeof(path), "%u/fd", table->pid);
    table->entries = 0;
    table->process = MAP_NONE;
    r = proc_dir_open(&dir, search->proc, path);
    if (r == 0) {
        r = search_entries(search, table, &dir);
        proc_dir_close(&dir);
    }
    return proc_failure(search->proc, path, r);
}

static long compare_tables(uint32_t one, uint32_t other)
{
    long r = syscall(SYS_kcmp, (pid_t)one, (pid_t)other, KCMP_FILES, 0UL, 0UL);

    return r < 0 ? -errno : r;
}

/*
 * Where the thread stands among the known tables. kcmp(2) answers 0 for the same table, 1 for less
 * and 2 for greater: an order, so that a table is found without asking all the others. A thread
 * that has ended can no longer stand for its table and is taken out.
 */
static int find_table(struct private_tables *tables, uint32_t tid, uint32_t *ret_place)
{
    uint32_t low = 0, high = tables->count, middle;
    long order;

    while (low < high) {
        middle = low + (high - low) / 2;
        order = compare_tables(tables->tids[middle], tid);
        if (order == 1) {
            low = middle + 1;
        } else if (order == 2) {
            high = middle;
        } else if (order == -ESRCH && compare_tables(tid, tid) == 0) {
            tables->count--;
            memmove(tables->tids + middle, tables->tids + middle + 1,
                    (tables->count - middle) * sizeof(*tables->tids));
            low = 0;
            high = tables->count;
        } else {
            return order < 0 ? (int)order : TABLE_PRIVATE_SEEN;
        }
    }
    *ret_place = low;
    return TABLE_PRIVATE;
}

int private_tables_place(struct private_tables *tables, uint32_t tid)
{
    long order = compare_tables(tables->pid, tid);
    uint32_t place = 0;
    int r;

    if (order <= 0)
        return order < 0 ? (int)order : TABLE_SHARED;
    r = find_table(tables, tid, &place);
    if (r != TABLE_PRIVATE)
        return r;
    r = VEC_RESERVE(&tables->tids, &tables->capacity, tables->count, 1);
    if (r < 0)
        return r;
    memmove(tables->tids + place + 1, tables->tids + place,
            (tables->count - place) * sizeof(*tables->tids));
    tables->tids[place] = tid;
    tables->count++;
    return TABLE_PRIVATE;
}

void private_tables_done(struct private_tables *tables)
{
    free(tables->tids);
    *tables = (struct private_tables){0};
}
