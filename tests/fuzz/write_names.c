/* SPDX-License-Identifier: MIT */
/* Writes each file of a directory, as bytes of others, in all output formats: DIRECTORY/NAME.json,
 * ...; test_written.py reads them with parsers of others. */
#include "fuzz.h"
#include "written.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#define SIZE_MAX_READ 65536

static void write_file(const char *path, const struct buf *out)
{
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK(!out->length || write(fd, out->data, out->length) == (ssize_t)out->length);
}

static void write_formats(const char *directory, const char *name)
{
    static char bytes[SIZE_MAX_READ];
    CLEANUP_CLOSE int fd = -1;
    char path[4096];
    ssize_t size;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
    CHECK(size >= 0);
    for (enum written format = 0; format < WRITTEN_MAX; format++) {
        CLEANUP(buf_done) struct buf out = BUF_INIT;

        snprintf(path, sizeof(path), "%s/%s.%s", directory, name, written_names[format]);
        write_bytes(format, bytes, (size_t)size, &out);
        write_file(path, &out);
    }
}

/* Names without a dot: what is written has one. */
static int is_wanted(const struct dirent *entry)
{
    return !strchr(entry->d_name, '.');
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_wanted, alphasort) : -1;

    if (count <= 0) {
        fprintf(stderr, "usage: write_names DIRECTORY, with files in it\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        write_formats(argv[1], entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}
