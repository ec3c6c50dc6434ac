/* SPDX-License-Identifier: MIT */
/* A disk whose power is cut: what SQLite asks of the system is recorded, and what may be on the
 * disk afterwards is made of it. */
#pragma once

#include "store_fixture.h"

#include <sqlite3.h>

enum disk_file { DISK_HISTORY, DISK_JOURNAL, DISK_ROLLBACK, DISK_FILE_MAX };

static const char *const disk_suffixes[DISK_FILE_MAX] = {"", "-wal", "-journal"};

enum change_kind { CHANGE_WRITE, CHANGE_LENGTH, CHANGE_SYNC, CHANGE_REMOVE };

/* One call. */
struct change {
    enum change_kind kind;
    enum disk_file file;
    off_t offset; /* or length */
    size_t count; /* of bytes */
    uint8_t *bytes;
};

/* A file at some moment. */
struct image {
    uint8_t *bytes;
    size_t length;
    bool is_there;
};

struct disk {
    char path[96]; /* of the history that is recorded; empty: none */
    struct change *changes;
    size_t count, capacity;
    struct image begin[DISK_FILE_MAX]; /* before the first change */
    uint32_t fails;                    /* so many syncs of the journal fail, from now on */
    uint32_t until_failure;            /* calls up to the one that fails; 0: none does */
    bool forgets;                      /* nothing is recorded */
};

/* SQLite's list of layers is one for the whole process. */
static struct disk disk;
static sqlite3_vfs *disk_usual;
static const sqlite3_io_methods *disk_usual_methods;

/* What a layer below has no room for lies behind it. */
static int *disk_which(sqlite3_file *file)
{
    return (int *)(void *)((char *)file + disk_usual->szOsFile);
}

static int disk_find(const char *name)
{
    size_t length = strlen(disk.path);

    if (!length || !name || strncmp(name, disk.path, length) != 0)
        return DISK_FILE_MAX;
    for (int i = 0; i < DISK_FILE_MAX; i++)
        if (strcmp(name + length, disk_suffixes[i]) == 0)
            return i;
    return DISK_FILE_MAX;
}

static struct change *disk_record(enum change_kind kind, int file)
{
    struct change *change;

    if (file == DISK_FILE_MAX || !*disk.path || disk.forgets)
        return NULL;
    if (disk.count == disk.capacity) {
        disk.capacity = disk.capacity ? 2 * disk.capacity : 256;
        disk.changes = realloc(disk.changes, disk.capacity * sizeof(*disk.changes));
        assert_non_null(disk.changes);
    }
    change = &disk.changes[disk.count++];
    *change = (struct change){.kind = kind, .file = (enum disk_file)file};
    return change;
}

static bool disk_fails(int file)
{
    return file != DISK_FILE_MAX && disk.until_failure && !--disk.until_failure;
}

static int disk_read(sqlite3_file *file, void *to, int count, sqlite3_int64 offset)
{
    return disk_fails(*disk_which(file)) ? SQLITE_IOERR_READ
                                         : disk_usual_methods->xRead(file, to, count, offset);
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return disk_fails(*disk_which(file)) ? SQLITE_IOERR_FSTAT
                                         : disk_usual_methods->xFileSize(file, ret_size);
}

static int disk_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 offset)
{
    bool fails = disk_fails(*disk_which(file));
    struct change *change = fails ? NULL : disk_record(CHANGE_WRITE, *disk_which(file));

    if (fails)
        return SQLITE_IOERR_WRITE;
    if (change) {
        change->offset = offset;
        change->count = (size_t)count;
        change->bytes = malloc(change->count);
        assert_non_null(change->bytes);
        memcpy(change->bytes, from, change->count);
    }
    return disk_usual_methods->xWrite(file, from, count, offset);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 length)
{
    struct change *change = disk_record(CHANGE_LENGTH, *disk_which(file));

    if (change)
        change->offset = length;
    return disk_usual_methods->xTruncate(file, length);
}

/* The machine's own disk is not waited for: whoever wants to know what is on it looks at the
 * changes. */
static int disk_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (*disk_which(file) == DISK_JOURNAL && disk.fails) {
        disk.fails--;
        return SQLITE_IOERR_FSYNC;
    }
    if (disk_fails(*disk_which(file)))
        return SQLITE_IOERR_FSYNC;
    disk_record(CHANGE_SYNC, *disk_which(file));
    return SQLITE_OK;
}

/* SQLite has methods for files that are locked, and for others, which write in the same way. */
static const sqlite3_io_methods *disk_methods_of(const sqlite3_io_methods *usual)
{
    static struct {
        const sqlite3_io_methods *usual;
        sqlite3_io_methods ours;
    } known[4];
    size_t i = 0;

    while (known[i].usual && known[i].usual != usual)
        assert_true(++i < ARRAY_SIZE(known));
    if (!known[i].usual) {
        known[i].usual = usual;
        known[i].ours = *usual;
        known[i].ours.xRead = disk_read;
        known[i].ours.xFileSize = disk_size;
        known[i].ours.xWrite = disk_write;
        known[i].ours.xTruncate = disk_truncate;
        known[i].ours.xSync = disk_sync;
    }
    assert_true(usual->xWrite == known[0].usual->xWrite);
    disk_usual_methods = usual;
    return &known[i].ours;
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    int result;

    (void)vfs;
    if (disk_fails(disk_find(name))) {
        file->pMethods = NULL;
        return SQLITE_CANTOPEN;
    }
    result = disk_usual->xOpen(disk_usual, name, file, flags, ret_flags);
    if (result != SQLITE_OK)
        return result;
    file->pMethods = disk_methods_of(file->pMethods);
    *disk_which(file) = disk_find(name);
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)sync;
    disk_record(CHANGE_REMOVE, disk_find(name));
    return disk_usual->xDelete(disk_usual, name, 0);
}

/* Before the layer that has the checksums is there, which lies above it. */
static int disk_register(void **state)
{
    static sqlite3_vfs vfs;

    (void)state;
    disk_usual = sqlite3_vfs_find(NULL);
    vfs = *disk_usual;
    vfs.zName = "disk";
    vfs.szOsFile += (int)sizeof(int);
    vfs.xOpen = disk_open;
    vfs.xDelete = disk_delete;
    return sqlite3_vfs_register(&vfs, true) == SQLITE_OK ? 0 : -1;
}

/* --- images --- */

static void image_done(struct image *image)
{
    free(image->bytes);
    *image = (struct image){0};
}

static void image_extend(struct image *image, size_t length)
{
    image->is_there = true;
    if (length > image->length) {
        image->bytes = realloc(image->bytes, length);
        assert_non_null(image->bytes);
        memset(image->bytes + image->length, 0, length - image->length);
        image->length = length;
    }
}

static void image_load(const char *path, struct image *image)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0)
        return;
    assert_int_equal(fstat(fd, &status), 0);
    image_extend(image, (size_t)status.st_size);
    assert_int_equal(pread(fd, image->bytes, image->length, 0), image->length);
}

/* --- recording --- */

static void disk_path(const char *path, enum disk_file file, char *to, size_t size)
{
    snprintf(to, size, "%s%s", path, disk_suffixes[file]);
}

static inline void disk_begin(const char *path)
{
    snprintf(disk.path, sizeof(disk.path), "%s", path);
    for (int i = 0; i < DISK_FILE_MAX; i++) {
        char name[112];

        disk_path(path, (enum disk_file)i, name, sizeof(name));
        image_load(name, &disk.begin[i]);
    }
}

/* What SQLite does from here on is not recorded. */
static inline void disk_stop(void)
{
    disk.path[0] = '\0';
}

static inline void disk_forget(void)
{
    for (size_t i = 0; i < disk.count; i++)
        free(disk.changes[i].bytes);
    free(disk.changes);
    for (int i = 0; i < DISK_FILE_MAX; i++)
        image_done(&disk.begin[i]);
    disk = (struct disk){0};
}
