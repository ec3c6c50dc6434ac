/* SPDX-License-Identifier: MIT */
/* Threads of the processes that hold sockets, and which have a descriptor table of their own. */
#include "collect/fd_table.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct thread_reader {
    struct snapshot *snapshot;
    struct fd_search search;
    struct map tables_known; /* (process index, tid) whose private table an earlier source has read
                              */
    int kcmp_error;          /* why tables could not be compared; 0 none */
    int failure;             /* why some thread could not be read; 0 none */
};

static uint64_t table_key(uint32_t process, uint32_t tid)
{
    return (uint64_t)process << 32 | tid;
}

static int read_comm(struct thread_reader *reader, uint32_t pid, uint32_t tid, uint32_t *ret_string)
{
    char path[48], comm[128];
    size_t length;
    int r;

    snprintf(path, sizeof(path), "%u/task/%u/comm", pid, tid);
    r = proc_read_comm(reader->search.proc, path, comm, sizeof(comm), &length);

    return r < 0 ? r : snapshot_intern(reader->snapshot, comm, length, ret_string);
}

/* Only a lack of memory ends the reading. A process of somebody else is told with its descriptors.
 */
static int keep_going(struct thread_reader *reader, int error)
{
    if (error == -ENOMEM)
        return error;
    if (error < 0 && error != -EACCES && error != -EPERM && !proc_is_gone(error))
        reader->failure = error;
    return 0;
}

/*
 * 1 when the thread has a private table, whose sockets are then listed as held by this thread; 0
 * when not; -ENOMEM.
 */
static int read_table(struct thread_reader *reader, struct private_tables *tables, uint32_t process,
                      uint32_t tid)
{
    struct fd_table table = {.pid = tables->pid, .tid = tid};
    int kind = tid == tables->pid ? TABLE_SHARED : private_tables_place(tables, tid);

    if (kind == -EPERM || kind == -ENOSYS)
        reader->kcmp_error = kind;
    if (kind == TABLE_PRIVATE &&
        map_get(&reader->tables_known, table_key(process, tid)) == MAP_NONE &&
        keep_going(reader, fd_table_search(&reader->search, &table)) < 0)
        return -ENOMEM;
    if (kind < 0)
        return kind == -ENOMEM ? kind : 0;
    return kind != TABLE_SHARED;
}

static int add_thread(struct thread_reader *reader, struct private_tables *tables, uint32_t process,
                      uint32_t tid)
{
    struct thread thread = {.process = process, .tid = tid};
    int r = read_comm(reader, tables->pid, tid, &thread.comm);

    if (r < 0)
        return keep_going(reader, r);
    r = read_table(reader, tables, process, tid);
    if (r < 0)
        return r;
    thread.private_files = (uint32_t)r;
    return snapshot_add_thread(reader->snapshot, thread);
}

static int read_threads(struct thread_reader *reader, uint32_t process)
{
    uint32_t pid = reader->snapshot->processes[process].pid, tid;
    CLEANUP(private_tables_done) struct private_tables tables = {.pid = pid};
    struct proc_dir dir;
    char path[32];
    int r;

    snprintf(path, sizeof(path), "%u/task", pid);
    r = proc_dir_open(&dir, reader->search.proc, path);
    if (r < 0)
        return keep_going(reader, r);
    while ((r = proc_dir_next_number(&dir, &tid)) > 0) {
        r = add_thread(reader, &tables, process, tid);
        if (r < 0)
            break;
    }
    proc_dir_close(&dir);
    return keep_going(reader, r);
}

/*
 * The processes that hold a socket of the snapshot, in the order in which they were found, and the
 * private tables that are known. Reading a table adds holders, so that this is done before.
 */
static int find_owners(struct thread_reader *reader, struct map *owners)
{
    const struct snapshot *snapshot = reader->snapshot;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->holders_count && r == 0; i++) {
        const struct holder *holder = &snapshot->holders[i];

        if (!reader->search.every_socket &&
            map_get(&reader->search.wanted, holder->inode) == MAP_NONE)
            continue;
        r = map_set(owners, holder->process, 1);
        if (r == 0 && holder->tid)
            r = map_set(&reader->tables_known, table_key(holder->process, holder->tid), 1);
    }
    return r;
}

static int read_all(struct thread_reader *reader)
{
    CLEANUP(map_done) struct map owners = {0};
    int r = find_owners(reader, &owners);

    for (uint32_t i = 0; i < reader->snapshot->processes_count && r == 0; i++)
        if (map_get(&owners, i) != MAP_NONE)
            r = read_threads(reader, i);
    if (reader->failure)
        snapshot_note(reader->snapshot, NOTE_INCOMPLETE, "/proc/PID/task", reader->failure,
                      "some threads could not be read: %s", strerror(-reader->failure));
    if (reader->kcmp_error)
        snapshot_note(reader->snapshot, NOTE_INFO, "kcmp", reader->kcmp_error,
                      "descriptor tables of threads could not be compared (%s): "
                      "each thread is shown as sharing the table of its process",
                      strerror(-reader->kcmp_error));
    return r;
}

static int collect_threads(struct collection *collection)
{
    CLEANUP_CLOSE int proc = open(collection_proc(collection), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct thread_reader reader = {.snapshot = collection->snapshot};
    int r;

    if (proc < 0) {
        snapshot_note(reader.snapshot, NOTE_INCOMPLETE, "/proc/PID/task", -errno,
                      "threads could not be listed: %s", strerror(errno));
        return 0;
    }
    r = fd_search_init(&reader.search, collection, proc);
    if (r == 0)
        r = read_all(&reader);
    fd_search_done(&reader.search);
    map_done(&reader.tables_known);
    return r;
}

const struct collector collector_threads = {
    .name = "threads",
    .provides = NEED_THREADS,
    .collect = collect_threads,
};
