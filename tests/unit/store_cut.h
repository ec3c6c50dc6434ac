/* SPDX-License-Identifier: MIT */
/* A power cut: what may be on the disk afterwards is made of what was asked of it. */
#pragma once

#include "store_disk.h"

#define SECTOR_BYTES 512

static struct image image_copy(const struct image *image)
{
    struct image copy = {.is_there = image->is_there};

    if (image->length) {
        image_extend(&copy, image->length);
        memcpy(copy.bytes, image->bytes, image->length);
    }
    return copy;
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
