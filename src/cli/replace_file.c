/* SPDX-License-Identifier: MIT */
/* Writes files beside their place and then renames them. */
#include "cli/replace_file.h"

#include "base/buf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens `path` as it is: a device, a pipe. What is put in its place would not be that any more. */
static int write_in_place(const char *path, int (*write)(const void *content, int fd),
                          const void *content)
{
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 ? -errno : write(content, fd);
}

int replace_name(const char *path, int (*write)(const void *content, int fd), const void *content)
{
    struct buf temporary = BUF_INIT;
    CLEANUP_CLOSE int fd = -1;
    int r;

    buf_puts(&temporary, path);
    buf_puts(&temporary, ".XXXXXX");
    buf_string(&temporary);
    r = temporary.error;
    if (r == 0)
        fd = mkostemp(temporary.data, O_CLOEXEC); /* mode 0600, and nobody else's */
    if (r == 0 && fd < 0)
        r = -errno;
    if (r == 0)
        r = write(content, fd);
    if (r == 0 && rename(buf_string(&temporary), path) < 0)
        r = -errno;
    if (r < 0 && fd >= 0)
        unlink(buf_string(&temporary));
    buf_done(&temporary);
    return r;
}

int replace_file(const char *path, int (*write)(const void *content, int fd), const void *content)
{
    CLEANUP_FREE char *real = realpath(path, NULL);
    struct stat status;

    if (real && stat(real, &status) == 0 && !S_ISREG(status.st_mode))
        return write_in_place(real, write, content);
    return replace_name(real ? real : path, write, content);
}
