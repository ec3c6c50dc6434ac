/* SPDX-License-Identifier: MIT */
/* Loads the iterators by bpf(2) alone, from light skeletons, and reads them. */
/* bpftool's light skeletons carry a loader program, and the kernel itself does the relocating. */
#include "bpf/iterators.h"

#include "bpf/call.h"
#include "bpf/iterator_load.h"

/* Generated; they need the headers above. */
#include "bpf/task_file.lskel.h"
#include "bpf/tcp.lskel.h"
#include "bpf/udp.lskel.h"

#include <string.h>

/*
 * The kernel gives at most this much in one read (8 pages), and whole records only when the buffer
 * takes it.
 */
#define READ_SIZE (64 * 1024)

/*
 * The kernel ends a read that passed a million objects without a record with EAGAIN; so many in a
 * row is no walk any more.
 */
#define EAGAIN_MAX 10000

static int load(enum iterator_kind kind, struct iterator *ret_iterator)
{
    switch (kind) {
    case ITERATOR_TASK_FILE:
        return ITERATOR_LOAD(task_file_bpf, walk_descriptors, ret_iterator);
    case ITERATOR_TCP:
        return ITERATOR_LOAD(tcp_bpf, walk_tcp, ret_iterator);
    case ITERATOR_GLANCE:
        return glance_load(ret_iterator);
    case ITERATOR_UDP:
        return ITERATOR_LOAD(udp_bpf, walk_udp, ret_iterator);
    default:
        return -EINVAL;
    }
}

int iterator_open(enum iterator_kind kind, struct iterator *ret_iterator)
{
    struct iterator opened = ITERATOR_INIT;
    int r;

    opened.kind = kind;
    r = load(kind, &opened);
    if (r < 0)
        return r;
    *opened.filter = ITERATOR_FILTER_ALL;
    *ret_iterator = opened;
    return 0;
}

void iterator_close(struct iterator *iterator)
{
    int saved = errno;

    if (iterator->skeleton && iterator->kind == ITERATOR_TASK_FILE)
        task_file_bpf__destroy(iterator->skeleton);
    else if (iterator->skeleton && iterator->kind == ITERATOR_TCP)
        tcp_bpf__destroy(iterator->skeleton);
    else if (iterator->skeleton && iterator->kind == ITERATOR_GLANCE)
        glance_close(iterator);
    else if (iterator->skeleton)
        udp_bpf__destroy(iterator->skeleton);
    *iterator = ITERATOR_INIT;
    errno = saved;
}

/*
 * The link holds the question "which processes" or "which map", the iterator made from it is one
 * walk in the namespace of the caller. NULL: it has no question.
 */
static int start_walk(int prog_fd, const union bpf_iter_link_info *info, int *ret_fd)
{
    union bpf_attr attr = bpf_no_attr();
    CLEANUP_CLOSE int link = -1;
    int r;

    attr.link_create.prog_fd = (uint32_t)prog_fd;
    attr.link_create.attach_type = BPF_TRACE_ITER;
    if (info) {
        attr.link_create.iter_info = (uintptr_t)info;
        attr.link_create.iter_info_len = sizeof(*info);
    }
    link = bpf_call(BPF_LINK_CREATE, &attr);
    if (link < 0)
        return link;
    attr = bpf_no_attr();
    attr.iter_create.link_fd = (uint32_t)link;
    r = bpf_call(BPF_ITER_CREATE, &attr);
    if (r < 0)
        return r;
    *ret_fd = r;
    return 0;
}

/*
 * One read, again when it was interrupted or the kernel took a break. The number of bytes, 0 at the
 * end, -errno.
 */
static ssize_t read_again(int fd, char *buffer, size_t size)
{
    ssize_t n;

    for (int breaks = 0;; breaks++) {
        n = read(fd, buffer, size);
        if (n >= 0)
            return n;
        if (errno != EINTR && (errno != EAGAIN || breaks >= EAGAIN_MAX))
            return -errno;
    }
}

static int read_records(int fd, char *buffer, iterator_split_fn *split, void *context)
{
    size_t filled = 0, used = 0;

    for (;;) {
        ssize_t n = read_again(fd, buffer + filled, READ_SIZE - filled);
        int r;

        if (n < 0)
            return (int)n;
        if (n == 0)
            return filled ? -EBADMSG : 0;
        filled += (size_t)n;
        r = split(buffer, filled, context, &used);
        if (r < 0)
            return r;
        filled -= used;
        memmove(buffer, buffer + used, filled);
    }
}

static int read_walk(int prog_fd, const union bpf_iter_link_info *info, iterator_split_fn *split,
                     void *context)
{
    _Alignas(8) char buffer[READ_SIZE];
    CLEANUP_CLOSE int fd = -1;
    int r;

    r = start_walk(prog_fd, info, &fd);
    if (r < 0)
        return r;
    return read_records(fd, buffer, split, context);
}

int iterator_read(int prog_fd, uint32_t pid, iterator_split_fn *split, void *context)
{
    union bpf_iter_link_info info = {.task.pid = pid};

    return read_walk(prog_fd, pid ? &info : NULL, split, context);
}

/* Where the records of a walk go. */
struct target {
    iterator_record_fn *fn;
    void *context;
};

static int split_records(const char *bytes, size_t length, void *context, size_t *ret_used)
{
    const struct target *target = context;

    return record_split(bytes, length, target->fn, target->context, ret_used);
}

int iterator_walk(const struct iterator *iterator, uint32_t pid, iterator_record_fn *fn,
                  void *context)
{
    struct target target = {fn, context};
    union bpf_iter_link_info info = {.map.map_fd = (uint32_t)iterator->map_fd};

    if (iterator->map_fd >= 0)
        return read_walk(iterator->prog_fd, &info, split_records, &target);
    return iterator_read(iterator->prog_fd, pid, split_records, &target);
}
