/* SPDX-License-Identifier: MIT */
/* Reading /proc: directories, small files and the numbers in them. */
#include "collect/proc_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* What getdents64(2) fills in; C libraries disagree about its name. */
struct directory_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length; /* of this whole entry */
    uint8_t type;
    char name[];
};

int proc_dir_open(struct proc_dir *dir, int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    dir->fd = fd;
    dir->at = dir->end = 0;
    return 0;
}

void proc_dir_close(struct proc_dir *dir)
{
    cleanup_close(&dir->fd);
    dir->fd = -1;
}

static bool is_dot(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int proc_dir_next(struct proc_dir *dir, const char **ret_name)
{
    const struct directory_entry *entry;
    long count;

    do {
        if (dir->at >= dir->end) {
            count = syscall(SYS_getdents64, dir->fd, dir->buffer, sizeof(dir->buffer));
            if (count <= 0)
                return count < 0 ? -errno : 0;
            dir->at = 0;
            dir->end = (size_t)count;
        }
        entry = (const struct directory_entry *)(const void *)(dir->buffer + dir->at);
        dir->at += entry->length;
    } while (is_dot(entry->name));
    dir->inode = entry->inode;
    dir->type = entry->type;
    *ret_name = entry->name;
    return 1;
}

int proc_dir_next_number(struct proc_dir *dir, uint32_t *ret_number)
{
    const char *name = "";
    uint64_t number;
    int r;

    while ((r = proc_dir_next(dir, &name)) > 0)
        if (proc_parse_number(&name, &number) && *name == '\0' && number <= UINT32_MAX) {
            *ret_number = (uint32_t)number;
            return 1;
        }
    return r;
}

int proc_read(int at, const char *path, char *buffer, size_t size, size_t *ret_length)
{
    CLEANUP_CLOSE int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t count;

    if (fd < 0)
        return -errno;
    while (length < size - 1) {
        count = read(fd, buffer + length, size - 1 - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            break;
        length += (size_t)count;
    }
    buffer[length] = '\0';
    *ret_length = length;
    return 0;
}

#define ALL_FIRST ((size_t)64 * 1024)
#define ALL_MAX ((size_t)256 * 1024 * 1024)

/* Read again from the start in a larger buffer: what the kernel makes in one go fits together. */
int proc_read_all(int at, const char *path, char **ret_text)
{
    CLEANUP_FREE char *text = NULL;
    size_t length = 0;

    for (size_t size = ALL_FIRST;; size *= 4) {
        char *larger = realloc(text, size);
        int r;

        if (!larger)
            return -ENOMEM;
        text = larger;
        r = proc_read(at, path, text, size, &length);
        if (r < 0)
            return r;
        if (length < size - 1)
            break;
        if (size >= ALL_MAX)
            return -EFBIG;
    }
    *ret_text = text;
    text = NULL;
    return 0;
}

int proc_read_comm(int at, const char *path, char *buffer, size_t size, size_t *ret_length)
{
    int r = proc_read(at, path, buffer, size, ret_length);

    /* A newline of the name itself stands before the kernel's. */
    if (r == 0 && *ret_length && buffer[*ret_length - 1] == '\n')
        --*ret_length;
    return r;
}

enum pidns proc_pid_namespace(void)
{
    const ino_t first = 0xEFFFFFFCu; /* PROC_PID_INIT_INO in the kernel since 3.8 */
    struct stat status;

    if (stat("/proc/self/ns/pid", &status) < 0)
        return PIDNS_UNKNOWN;
    return status.st_ino == first ? PIDNS_FIRST : PIDNS_INNER;
}

uint32_t proc_pidns_inode(void)
{
    struct stat status;

    if (proc_pid_namespace() == PIDNS_FIRST || stat("/proc/self/ns/pid", &status) < 0)
        return 0;
    return (uint32_t)status.st_ino;
}

int proc_failure(int at, const char *path, int error)
{
    struct stat status;

    if (error == -EACCES && fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        return -ESRCH;
    return error;
}

bool proc_parse_number(const char **text, uint64_t *ret_number)
{
    const char *at = *text;
    uint64_t number = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return false;
    *text = at;
    *ret_number = number;
    return true;
}

void proc_mount_done(struct proc_mount *mount)
{
    free(mount->root);
    free(mount->point);
    free(mount->options);
    *mount = (struct proc_mount){0};
}

void proc_unescape(char *text)
{
    char *to = text;

    while (*text) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
            text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
            *to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 4;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

static char *copy_unescaped(const char *text)
{
    char *copy = strdup(text);

    if (copy)
        proc_unescape(copy);
    return copy;
}

/* The next blank-separated word of a line, which is cut up; NULL at its end. */
static char *next_word(char **line)
{
    char *word = strsep(line, " \n");

    return word && *word ? word : NULL;
}

/*
 * "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS"
 * (Documentation/filesystems/proc.rst)
 */
int proc_parse_mount(char *line, const char *type, const char *point, struct proc_mount *ret_mount)
{
    char *root = NULL, *at = NULL, *word = NULL, *options;
    struct proc_mount mount;

    for (int i = 0; i < 5 && (word = next_word(&line)); i++) {
        if (i == 3)
            root = word;
        at = word;
    }
    while (word && strcmp(word, "-") != 0)
        word = next_word(&line);
    word = word ? next_word(&line) : NULL;
    if (!word || strcmp(word, type) != 0 || (point && strcmp(at, point) != 0))
        return -ENOENT;
    next_word(&line);
    options = next_word(&line);
    mount.root = copy_unescaped(root);
    mount.point = copy_unescaped(at);
    mount.options = copy_unescaped(options ? options : "");
    if (!mount.root || !mount.point || !mount.options) {
        proc_mount_done(&mount);
        return -ENOMEM;
    }
    *ret_mount = mount;
    return 0;
}

int proc_find_mount(int proc, const char *type, const char *point, struct proc_mount *ret_mount)
{
    int fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    struct proc_mount found = {0}, mount;
    CLEANUP_FREE char *line = NULL;
    size_t size = 0;
    int r = -ENOENT, one;

    if (!file) {
        r = -errno;
        cleanup_close(&fd);
        return r;
    }
    while (getline(&line, &size, file) > 0) {
        one = proc_parse_mount(line, type, point, &mount);
        if (one == -ENOENT)
            continue;
        proc_mount_done(&found);
        r = one;
        if (one < 0)
            break;
        found = mount;
    }
    fclose(file);
    if (r == 0)
        *ret_mount = found;
    return r;
}
