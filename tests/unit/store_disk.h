/* SPDX-License-Identifier: MIT */
/* A disk whose power is cut: what SQLite asks of the system is recorded, and what may be on the
 * disk afterwards is made of it. */
#pragma once

#include "store_fixture.h"

#include <dirent.h>
#include <sqlite3.h>

#define SECTOR_BYTES 512

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

    if (file == DISK_FILE_MAX || !*disk.path)
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

static int disk_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 offset)
{
    struct change *change = disk_record(CHANGE_WRITE, *disk_which(file));

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

/* The machine's own disk is not waited for: what is on it is made by disk_image() alone. */
static int disk_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (*disk_which(file) == DISK_JOURNAL && disk.fails) {
        disk.fails--;
        return SQLITE_IOERR_FSYNC;
    }
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
    int result = disk_usual->xOpen(disk_usual, name, file, flags, ret_flags);

    (void)vfs;
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

static struct image image_copy(const struct image *image)
{
    struct image copy = {.is_there = image->is_there};

    if (image->length) {
        image_extend(&copy, image->length);
        memcpy(copy.bytes, image->bytes, image->length);
    }
    return copy;
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

static void image_lay(const struct image *image, const char *path)
{
    CLEANUP_CLOSE int fd = -1;

    unlink(path);
    if (!image->is_there)
        return;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, image->bytes, image->length, 0), image->length);
}

/* --- the cut --- */

/* What the disk has made of the changes that it was not told to keep. */
enum cut_kind {
    CUT_KEPT,      /* all of them, as when only the process is killed */
    CUT_DROPPED,   /* none */
    CUT_FIRST,     /* those before some moment */
    CUT_REORDERED, /* some of them */
    CUT_TORN,      /* some sectors of them */
    CUT_LONG,      /* likewise, and files are as long as if all were there */
    CUT_KIND_MAX
};

struct cut {
    enum cut_kind kind;
    size_t at;      /* changes before it were made, this one was being made */
    size_t first;   /* CUT_FIRST: those from here on are dropped */
    uint32_t share; /* of what is kept, in per cent */
    uint64_t *chance;
};

static uint32_t draw(uint64_t *chance, uint32_t below)
{
    *chance = *chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*chance >> 33) % below;
}

static bool is_kept(const struct cut *cut, size_t number)
{
    if (cut->kind == CUT_KEPT)
        return true;
    if (cut->kind == CUT_DROPPED)
        return false;
    return cut->kind == CUT_FIRST ? number < cut->first : draw(cut->chance, 100) < cut->share;
}

static void image_change(struct image *image, const struct change *change)
{
    if (change->kind == CHANGE_WRITE) {
        image_extend(image, (size_t)change->offset + change->count);
        memcpy(image->bytes + change->offset, change->bytes, change->count);
    } else if (change->kind == CHANGE_LENGTH) {
        if ((size_t)change->offset < image->length)
            image->length = (size_t)change->offset;
        image_extend(image, (size_t)change->offset);
    } else if (change->kind == CHANGE_REMOVE) {
        image_done(image);
    }
}

/* A change that may be there, or not, or some of its sectors. */
static void image_doubt(struct image *image, size_t number, const struct cut *cut)
{
    const struct change *change = &disk.changes[number];
    bool torn = cut->kind >= CUT_TORN || number == cut->at;

    if (cut->kind == CUT_LONG && change->kind == CHANGE_WRITE)
        image_extend(image, (size_t)change->offset + change->count);
    if (!torn || change->kind != CHANGE_WRITE) {
        if (is_kept(cut, number))
            image_change(image, change);
        return;
    }
    for (size_t begin = 0, bytes; begin < change->count; begin += bytes) {
        size_t offset = (size_t)change->offset + begin;
        struct change part = *change;

        bytes = SECTOR_BYTES - offset % SECTOR_BYTES;
        bytes = bytes < change->count - begin ? bytes : change->count - begin;
        part.offset = (off_t)offset;
        part.bytes = change->bytes + begin;
        part.count = bytes;
        if (draw(cut->chance, 100) < (cut->kind >= CUT_TORN ? cut->share : 50))
            image_change(image, &part);
    }
}

/* From here on the disk was not told to keep anything of the file. A removal waits for the disk. */
static size_t kept_until(enum disk_file file, size_t at)
{
    while (at > 0 && (disk.changes[at - 1].file != file || disk.changes[at - 1].kind < CHANGE_SYNC))
        at--;
    return at;
}

/* The file after the cut. */
static struct image disk_image(enum disk_file file, const struct cut *cut)
{
    struct image image = image_copy(&disk.begin[file]);
    size_t kept = kept_until(file, cut->at);

    for (size_t i = 0; i < disk.count && i <= cut->at; i++) {
        if (disk.changes[i].file != file)
            continue;
        if (i < kept)
            image_change(&image, &disk.changes[i]);
        else
            image_doubt(&image, i, cut);
    }
    return image;
}

/* --- recording --- */

static void disk_path(const char *path, enum disk_file file, char *to, size_t size)
{
    snprintf(to, size, "%s%s", path, disk_suffixes[file]);
}

static void disk_begin(const char *path)
{
    snprintf(disk.path, sizeof(disk.path), "%s", path);
    for (int i = 0; i < DISK_FILE_MAX; i++) {
        char name[112];

        disk_path(path, (enum disk_file)i, name, sizeof(name));
        image_load(name, &disk.begin[i]);
    }
}

/* What SQLite does from here on is not recorded. */
static void disk_stop(void)
{
    disk.path[0] = '\0';
}

static void disk_forget(void)
{
    for (size_t i = 0; i < disk.count; i++)
        free(disk.changes[i].bytes);
    free(disk.changes);
    for (int i = 0; i < DISK_FILE_MAX; i++)
        image_done(&disk.begin[i]);
    disk = (struct disk){0};
}

/* Lays the files as they are after the cut. */
static void disk_lay(const struct cut *cut, const char *path)
{
    for (int i = 0; i < DISK_FILE_MAX; i++) {
        struct image image = disk_image((enum disk_file)i, cut);
        char name[112];

        disk_path(path, (enum disk_file)i, name, sizeof(name));
        image_lay(&image, name);
        image_done(&image);
    }
}
