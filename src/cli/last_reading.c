/* SPDX-License-Identifier: MIT */
/* The last reading of the recorder's doctor: writes it, and finds it. */
#include "cli/last_reading.h"

#include "base/clock.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/replace_file.h"
#include "model/snapshot_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* An older one is of a recorder that was killed, or whose ticks are long: the time since then would
 * say little about now. */
#define RECENT_NS (60 * SECOND_NS)

/* By so much may the time of the boot differ when it is computed twice. */
#define SAME_BOOT_NS SECOND_NS

bool last_reading_path(const char *store, char path[static PATH_MAX])
{
    CLEANUP_FREE char *real = realpath(store, NULL);

    return real && snprintf(path, PATH_MAX, "%s.reading", real) < PATH_MAX;
}

struct content {
    const struct snapshot *snapshot;
    const char *path;
};

/*
 * What is renamed over another file is written to the disk at once by some filesystems (ext4:
 * auto_da_alloc). This is of no use after a restart, so the other one is removed before; who comes
 * in between looks for a window.
 */
static int write_content(const void *context, int fd)
{
    const struct content *content = context;
    int r = fchmod(fd, 0640) < 0 ? -errno : snapshot_write(content->snapshot, fd);

    unlink(content->path);
    return r;
}

int last_reading_write(const char *path, const struct snapshot *snapshot)
{
    return replace_name(path, write_content, &(struct content){snapshot, path});
}

/* Somebody else may have seen less, and what is new to them would look as if it had just happened.
 */
static bool is_of_equal(int fd)
{
    struct stat file;

    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
           (file.st_uid == 0 || file.st_uid == geteuid());
}

static bool is_usable(const struct snapshot *snapshot)
{
    uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
    uint64_t booted_ns = clock_ns(CLOCK_REALTIME) - now_ns;
    uint64_t difference_ns = booted_ns + SAME_BOOT_NS - (snapshot->time_ns - snapshot->boot_ns);

    return !snapshot->incomplete && difference_ns <= 2 * SAME_BOOT_NS &&
           snapshot->boot_ns <= now_ns && now_ns - snapshot->boot_ns <= RECENT_NS;
}

static bool read_usable(const char *path, int fd, struct snapshot *ret_snapshot)
{
    struct snapshot_file_error error = {{0}};
    struct snapshot snapshot;
    int r = snapshot_read(fd, &snapshot, &error);

    if (r == -EBADMSG)
        command_error("the last reading of nwho serve is left out: %s: %s", path, error.text);
    if (r < 0)
        return false;
    if (!is_usable(&snapshot)) {
        snapshot_done(&snapshot);
        return false;
    }
    *ret_snapshot = snapshot;
    return true;
}

bool last_reading_find(const struct options *options, struct snapshot *ret_snapshot)
{
    char store[PATH_MAX], path[PATH_MAX];
    CLEANUP_CLOSE int fd = -1;

    if (history_path(options, false, store) && last_reading_path(store, path))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd >= 0 && is_of_equal(fd) && read_usable(path, fd, ret_snapshot);
}
