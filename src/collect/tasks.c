/* SPDX-License-Identifier: MIT */
/* The processes of the machine, by one walk (BPF): their namespaces, and who is suspect. */
#include "collect/tasks.h"

#include "base/vec.h"
#include "collect/bpf_pass.h"
#include "collect/proc_file.h"
#include "collect/process_text.h"
#include "collect/programs.h"
#include "collect/tcp_table.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct tasks {
    struct record_task *items; /* owned */
    uint32_t count, capacity;
    struct map nameless; /* by program: whether its file was deleted, or never had a name */
};

static void tasks_done(struct tasks *tasks)
{
    free(tasks->items);
    map_done(&tasks->nameless);
}

/* Where the program that walks over the table of TCP will be loaded anyhow. */
static bool suits(const struct request *request)
{
    return request->programs && request->sources & SOURCE_BPF &&
           !request_files_stand_for_machine(request->files) &&
           request->netns_scope == NETNS_SCOPE_ALL && request->needs & NEED_SOCKETS &&
           request->protos & PROTO_BIT(PROTO_TCP) && !request->verbatim && !request->pids &&
           tcp_table_suits(request) && proc_pid_namespace() == PIDNS_FIRST;
}

static int take_records(const char *bytes, size_t length, void *context, size_t *ret_used)
{
    struct tasks *tasks = context;
    uint32_t count = (uint32_t)(length / sizeof(struct record_task));
    int r = VEC_RESERVE(&tasks->items, &tasks->capacity, tasks->count, count);

    if (r < 0)
        return r;
    memcpy(tasks->items + tasks->count, bytes, count * sizeof(struct record_task));
    tasks->count += count;
    *ret_used = count * sizeof(struct record_task);
    return 0;
}

/* What it tells of us must be right. */
static bool is_true(const struct collection *collection, const struct record_task *own)
{
    struct rlimit limit;

    return own->netns == collection->snapshot->netns[0].inode && own->program &&
           own->fd_places > (uint32_t)collection->own_netns &&
           getrlimit(RLIMIT_NOFILE, &limit) == 0 && own->fd_limit == limit.rlim_cur;
}

static int check_own(const struct collection *collection, const struct tasks *tasks)
{
    uint32_t pid = (uint32_t)getpid();

    for (uint32_t i = 0; i < tasks->count; i++)
        if (tasks->items[i].pid == pid)
            return is_true(collection, &tasks->items[i]) ? 0 : -EBADMSG;
    return -EBADMSG;
}

static int walk(const struct collection *collection, struct tasks *tasks)
{
    CLEANUP(iterator_close) struct iterator glance = ITERATOR_INIT;
    int r = programs_open(collection->request->programs, ITERATOR_GLANCE, &glance);

    if (r == 0)
        r = iterator_read(glance.tasks_fd, 0, take_records, tasks);
    return r < 0 ? r : check_own(collection, tasks);
}

/* By the link of one that runs it. */
static bool is_nameless(uint32_t pid)
{
    char path[32], link[PATH_MAX];
    ssize_t count;
    size_t length;

    snprintf(path, sizeof(path), "/proc/%u/exe", pid);
    count = readlink(path, link, sizeof(link));
    length = count < 0 ? 0 : (size_t)count;
    return count < 0 || process_path_undelete(link, &length);
}

static int ask_of_program(struct tasks *tasks, const struct record_task *task, bool *ret_nameless)
{
    uint32_t known = map_get(&tasks->nameless, task->program);

    if (known != MAP_NONE) {
        *ret_nameless = known;
        return 0;
    }
    *ret_nameless = task->program && is_nameless(task->pid);
    return map_set(&tasks->nameless, task->program, *ret_nameless);
}

bool task_is_suspect(const struct request *request, const struct record_task *task, bool nameless)
{
    uint64_t limit = task->fd_limit < UINT32_MAX ? task->fd_limit : UINT32_MAX;

    if (request->needs & NEED_EXE &&
        (nameless || (task->program && process_poses_as_kernel(task->comm))))
        return true;
    return request->needs & NEED_FDS &&
           (uint64_t)task->fd_places * 1000 >= request->fd_permille * limit;
}

static int add_suspect(struct collection *collection, uint32_t pid)
{
    int r = VEC_RESERVE(&collection->suspects, &collection->suspect_capacity,
                        collection->suspect_count, 1);

    if (r == 0)
        collection->suspects[collection->suspect_count++] = pid;
    return r;
}

/* Some hardened kernels leave process 1 out of the walk: it is looked at in /proc then. */
static int add_suspects(struct collection *collection, struct tasks *tasks)
{
    bool shows_first = false;
    int r = 0;

    for (uint32_t i = 0; i < tasks->count && r == 0; i++) {
        const struct record_task *task = &tasks->items[i];
        bool nameless = false;

        shows_first |= task->pid == 1;
        if (collection->request->needs & NEED_EXE)
            r = ask_of_program(tasks, task, &nameless);
        if (r == 0 && task_is_suspect(collection->request, task, nameless))
            r = add_suspect(collection, task->pid);
    }
    if (r == 0 && !shows_first)
        r = add_suspect(collection, 1);
    collection->suspects_known = r == 0;
    return r;
}

int tasks_read(struct collection *collection, netns_sighting_fn *fn, void *context)
{
    CLEANUP(tasks_done) struct tasks tasks = {0};
    int r = suits(collection->request) ? walk(collection, &tasks) : -EOPNOTSUPP;

    if (r < 0)
        return -EOPNOTSUPP;
    for (uint32_t i = 0; i < tasks.count && r == 0; i++)
        if (tasks.items[i].netns)
            r = fn(context, &(struct netns_sighting){.inode = tasks.items[i].netns,
                                                     .pid = tasks.items[i].pid});
    if (r == 0 && collection->request->needs & NEED_SUSPECTS)
        r = add_suspects(collection, &tasks);
    return r;
}
