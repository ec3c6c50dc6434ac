/* SPDX-License-Identifier: MIT */
/* Finds, writes and reads the file of the baseline. */
#include "cli/baseline.h"

#include "base/user_path.h"
#include "cli/command.h"
#include "cli/replace_file.h"
#include "derive/baseline.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE 65536

int baseline_find(const char *named, const struct config *config, struct baseline_file *ret_file)
{
    const char *usual = geteuid() == 0 ? "/var/lib/nwho/baseline" : NULL;
    struct baseline_file file = {.usual = !named};

    if (!named && config->baseline && strcmp(config->baseline, "off") == 0)
        return -ENOENT;
    if (!named)
        named = config->baseline ? config->baseline : usual;
    if (!named &&
        !user_path("XDG_STATE_HOME", ".local/state", "baseline", file.path, sizeof(file.path)))
        return -ENOENT;
    if (named && snprintf(file.path, sizeof(file.path), "%s", named) >= (int)sizeof(file.path))
        return -ENOENT;
    *ret_file = file;
    return 0;
}

static int write_text(const void *content, int fd)
{
    const struct buf *text = content;
    struct buf out = BUF_SINK(fd);
    int r;

    buf_put(&out, text->data, text->length);
    r = buf_flush(&out);
    buf_done(&out);
    return r;
}

int baseline_write(const struct baseline_file *file, const struct buf *text)
{
    int r;

    if (file->usual)
        user_path_make(file->path);
    r = replace_file(file->path, write_text, text);
    return r < 0 ? command_error("cannot save the baseline to %s: %s", file->path, strerror(-r))
                 : 0;
}

static int read_text(const char *path, struct buf *text)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = 1;

    if (fd < 0)
        return -errno;
    while (count > 0) {
        char *room = buf_reserve(text, READ_SIZE);

        count = room ? read(fd, room, READ_SIZE) : 0;
        if (count < 0)
            return -errno;
        text->length += (size_t)count;
    }
    buf_string(text);
    return text->error;
}

int baseline_load(const struct baseline_file *file, struct snapshot *ret_baseline,
                  struct buf *error)
{
    struct buf text CLEANUP(buf_done) = BUF_INIT;
    uint32_t line = 0;
    int r = read_text(file->path, &text);

    if (r == 0)
        r = baseline_parse(buf_string(&text), ret_baseline, &line);
    if (r == -EBADMSG)
        buf_printf(error, "%s:%u: no line of a baseline: nwho ports --save-baseline writes them",
                   file->path, line);
    else if (r < 0)
        buf_printf(error, "cannot read the baseline %s: %s", file->path, strerror(-r));
    return r;
}
