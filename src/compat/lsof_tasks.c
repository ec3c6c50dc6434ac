/* SPDX-License-Identifier: MIT */
/* lsof -K: the files of a process, and again those of each of its other threads. */
#include "compat/lsof.h"

#include "base/vec.h"

/* The new array of files under way. */
struct tasks {
    struct lsof_list *list;
    const struct column *tid, *name, *private;
    struct lsof_file *files; /* owned until it takes the place of the old ones */
    uint32_t count, capacity;
};

static int add_file(struct tasks *tasks, const struct lsof_file *file)
{
    int r = VEC_RESERVE(&tasks->files, &tasks->capacity, tasks->count, 1);

    if (r == 0)
        tasks->files[tasks->count++] = *file;
    return r;
}

/* Files [begin, end) as one thread sees them: with a table of its own only those in it. */
static int add_thread(struct tasks *tasks, uint32_t begin, uint32_t end, uint32_t row)
{
    const struct view *view = &tasks->list->moment.view;
    uint32_t tid = (uint32_t)tasks->tid->get(view, row).uint;
    bool private = tasks->private->get(view, row).boolean;
    struct value name = tasks->name->get(view, row);
    int r = 0;

    for (uint32_t i = begin; i < end && r == 0; i++) {
        struct lsof_file file = tasks->list->files[i];

        if (tid == file.pid || file.tid != (private ? tid : 0))
            continue;
        file.tid = tid;
        file.thread = name.type == VALUE_STRING ? name.string.bytes : "";
        file.thread_length = name.type == VALUE_STRING ? name.string.length : 0;
        r = add_file(tasks, &file);
    }
    return r;
}

static int add_process(struct tasks *tasks, uint32_t begin, uint32_t end)
{
    const struct lsof_file *files = tasks->list->files;
    uint32_t first = files[begin].first_thread, count = files[begin].thread_count;
    int r = 0;

    for (uint32_t i = begin; i < end && r == 0; i++)
        if (files[i].tid == 0)
            r = add_file(tasks, &files[i]);
    for (uint32_t row = first; row < first + count && r == 0; row++)
        r = add_thread(tasks, begin, end, row);
    return r;
}

int lsof_add_tasks(struct lsof_list *list)
{
    struct tasks tasks = {
        .list = list,
        .tid = table_column(&table_threads, "tid"),
        .name = table_column(&table_threads, "thread"),
        .private = table_column(&table_threads, "private"),
    };
    uint32_t begin = 0, end;
    int r = 0;

    for (; begin < list->count && r == 0; begin = end) {
        for (end = begin + 1; end < list->count && list->files[end].pid == list->files[begin].pid;)
            end++;
        r = add_process(&tasks, begin, end);
    }
    if (r < 0) {
        free(tasks.files);
        return r;
    }
    free(list->files);
    list->files = tasks.files;
    list->count = tasks.count;
    list->capacity = tasks.capacity;
    return 0;
}
