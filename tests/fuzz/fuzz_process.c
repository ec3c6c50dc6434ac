/* SPDX-License-Identifier: MIT */
/* Fuzzing of what is read below /proc/PID: stat, cgroup, cmdline, limits, mountinfo. */
#include "collect/netns_scan.h"
#include "collect/proc_file.h"
#include "collect/process_text.h"
#include "fuzz.h"

static bool is_part(const char *text, size_t size, const char *part, size_t length)
{
    return part >= text && part + length <= text + size;
}

static void read_stat(char *text, size_t size)
{
    struct process_stat stat;
    const char *name;
    size_t length;

    if (process_stat_name(text, &name, &length))
        CHECK(is_part(text, size, name, length));
    if (process_stat_parse(text, &stat))
        CHECK(stat.state);
}

static void read_cgroup(char *text, size_t size)
{
    const char *path;
    size_t length;

    if (process_cgroup_parse(text, &path, &length))
        CHECK(is_part(text, size, path, length) && length > 0 && !memchr(path, '\n', length));
}

static void read_cmdline(char *text, size_t size)
{
    size_t length = process_cmdline_join(text, size);

    CHECK(length <= size && !memchr(text, '\0', length));
}

static void read_limits(char *text, size_t size)
{
    uint32_t limit;
    size_t length = size;

    (void)!process_fd_limit_parse(text, &limit);
    (void)process_path_undelete(text, &length);
    CHECK(length <= size);
}

static void read_mounts(char *text, size_t size)
{
    struct proc_mount mount;
    struct netns_sighting sighting = {0};
    CLEANUP_FREE char *copy = strdup(text);

    CHECK(copy);
    if (proc_parse_mount(copy, "cgroup2", NULL, &mount) == 0) {
        CHECK(strlen(mount.root) + strlen(mount.point) + strlen(mount.options) <= size);
        proc_mount_done(&mount);
    }
    if (netns_parse_mount(text, &sighting) == 0)
        CHECK(is_part(text, size, sighting.path, strlen(sighting.path)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(char *text, size_t size) = {read_stat, read_cgroup, read_cmdline,
                                                               read_limits, read_mounts};
    CLEANUP_FREE char *text = NULL;
    size_t choice;

    if (size < 1)
        return 0;
    choice = fuzz_choose(&data, &size, ARRAY_SIZE(readers));
    text = fuzz_text(data, size);
    readers[choice](text, size);
    return 0;
}
