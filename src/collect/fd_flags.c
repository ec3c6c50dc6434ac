/* SPDX-License-Identifier: MIT */
/* Flags with which descriptors are open, from /proc/PID/fdinfo (since 2.6.22). */
#include "collect/proc_file.h"
#include "collect/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define SOURCE "/proc/PID/fdinfo"

/* "flags:\t02004002", octal. 0 when there is no such line. */
static uint32_t parse_flags(const char *text)
{
    static const char title[] = "flags:\t";
    const char *at = strstr(text, title);

    return at ? (uint32_t)strtoul(at + sizeof(title) - 1, NULL, 8) : 0;
}

static int read_flags(struct snapshot *snapshot, int proc, uint32_t index)
{
    const struct holder *holder = &snapshot->holders[index];
    uint32_t pid = snapshot->processes[holder->process].pid;
    char path[64], text[512];
    size_t length;
    int r;

    if (holder->tid)
        snprintf(path, sizeof(path), "%u/task/%u/fdinfo/%d", pid, holder->tid, holder->fd);
    else
        snprintf(path, sizeof(path), "%u/fdinfo/%d", pid, holder->fd);
    r = proc_read(proc, path, text, sizeof(text), &length);
    if (r == 0)
        r = snapshot_add_fd_flags(snapshot, (struct fd_flags){index, parse_flags(text)});
    return proc_is_gone(r) ? 0 : r;
}

static int collect_fd_flags(struct collection *collection)
{
    struct snapshot *snapshot = collection->snapshot;
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = proc < 0 ? -errno : 0, one;

    for (uint32_t i = 0; i < snapshot->holders_count && proc >= 0; i++) {
        one = read_flags(snapshot, proc, i);
        if (one < 0)
            r = one;
    }
    if (r < 0)
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE, r,
                      "flags of some descriptors could not be read: %s", strerror(-r));
    return 0;
}

const struct collector collector_fd_flags = {
    .name = "fd_flags",
    .provides = NEED_FD_FLAGS,
    .collect = collect_fd_flags,
};
