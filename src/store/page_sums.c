/* SPDX-License-Identifier: MIT */
/* Page sums: a layer below SQLite that puts them on pages that are written, and looks at them. */
#include "store/page_sums.h"

#include "base/cleanup.h"
#include "store/journal.h"
#include "store/schema.h"
#include "store/sql.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUM_BYTES 8
#define PAGE_BYTES_MIN 512
#define NO_TREE 0 /* a page that begins so: first byte of the number of the next one of a chain */
/* The head of the file: what SQLite reads of it before it knows how long a page is. */
#define HEAD_BYTES 100
#define HEAD_FREE_BYTES 20 /* at the end of each page: where that is said */
#define HEAD_VERSION 60    /* u32, big-endian: PRAGMA user_version */
#define HEAD_APPLICATION 68

/* One that SQLite has opened, or its journal; the real one lies behind it. */
struct layer_file {
    sqlite3_file base;
    sqlite3_file *real;
    struct page_faults faults;
    struct journal journal;
    uint8_t *page; /* where one is put together; NULL: not needed yet */
    int page_room, page_bytes;
    bool has_sums, forgives, is_journal;
    bool has_looked; /* at all of the journal */
};

static struct layer_file *layer(sqlite3_file *file)
{
    return (struct layer_file *)file;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return layer(file)->real;
}

/* --- checksums --- */

/*
 * Each step can be undone, so that a change within one word of eight bytes always comes through to
 * the end. A page in the place of another one has another sum. As it is kept two bits are always
 * set, by which it differs from none even when one is flipped.
 */
static uint64_t sum_of(const uint8_t *page, int bytes, uint32_t number)
{
    uint64_t sum = number * UINT64_C(0x9e3779b97f4a7c15);

    for (int i = 0; i + SUM_BYTES < bytes; i += (int)sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, page + i, sizeof(word));
        sum = (sum ^ le64toh(word)) * UINT64_C(0xd6e8feb86659fd93);
        sum ^= sum >> 32;
    }
    return sum | 3;
}

static void put_sum(uint8_t *page, int bytes, uint32_t number)
{
    uint64_t sum = htole64(sum_of(page, bytes, number));

    memcpy(page + bytes - SUM_BYTES, &sum, sizeof(sum));
}

/* Looks at a page that was read, and takes its checksum away. */
static int check_page(struct layer_file *file, uint8_t *page, int bytes, sqlite3_int64 offset)
{
    struct page_faults *faults = &file->faults;
    uint32_t number = (uint32_t)(offset / bytes) + 1;
    uint64_t kept;

    memcpy(&kept, page + bytes - SUM_BYTES, sizeof(kept));
    if (!kept) {
        faults->unsummed++;
        return SQLITE_OK;
    }
    if (le64toh(kept) != sum_of(page, bytes, number)) {
        if (!faults->damaged++)
            faults->first = number;
        if (!file->forgives || page[0] != NO_TREE)
            return SQLITE_CORRUPT;
    }
    memset(page + bytes - SUM_BYTES, 0, SUM_BYTES);
    return SQLITE_OK;
}

/* --- reading and writing --- */

static uint32_t number_at(const uint8_t *head, int place)
{
    uint32_t number;

    memcpy(&number, head + place, sizeof(number));
    return be32toh(number);
}

/* What SQLite itself goes by, or the version: where both do not say the same one is damaged. */
static void learn(struct layer_file *file, const uint8_t *head)
{
    int page_bytes = head[16] << 8 | head[17];

    file->page_bytes = page_bytes == 1 ? 65536 : page_bytes;
    file->has_sums = head[HEAD_FREE_BYTES] == SUM_BYTES ||
                     (number_at(head, HEAD_APPLICATION) == SCHEMA_APPLICATION &&
                      number_at(head, HEAD_VERSION) >= SCHEMA_WITH_SUMS);
}

static bool is_page(int amount, sqlite3_int64 offset)
{
    return amount >= PAGE_BYTES_MIN && !(amount & (amount - 1)) && offset % amount == 0;
}

/* NULL: no memory. */
static uint8_t *room_for(struct layer_file *file, int bytes)
{
    if (bytes > file->page_room) {
        free(file->page);
        file->page = malloc((size_t)bytes);
        file->page_room = file->page ? bytes : 0;
    }
    return file->page;
}

/* A part of a page is looked at as a whole. */
static int read_part(struct layer_file *file, void *to, int amount, sqlite3_int64 offset)
{
    int bytes = file->page_bytes, result;
    sqlite3_int64 begin;
    uint8_t *page;

    if (!is_page(bytes, 0) || offset % bytes + amount > bytes)
        return SQLITE_CORRUPT;
    begin = offset - offset % bytes;
    page = room_for(file, bytes);
    if (!page)
        return SQLITE_IOERR_NOMEM;
    result = read_below(file->real, page, bytes, begin);
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ)
        return result;
    if (check_page(file, page, bytes, begin) != SQLITE_OK)
        return SQLITE_CORRUPT;
    memcpy(to, page + (offset - begin), (size_t)amount);
    return result;
}

/*
 * SQLite reads the head of a journal only to go through all of it: nobody else has it open, who
 * would know its frames. Else it takes those that it is told of, and each is looked at when it is
 * read: then a look at megabytes of others would be most of what a question costs.
 */
static int look_at_journal(struct layer_file *file, sqlite3_int64 offset)
{
    if (offset != 0 || file->has_looked)
        return SQLITE_OK;
    file->has_looked = true;
    return journal_look(file->real, &file->journal);
}

static int read_journal(struct layer_file *file, void *to, int amount, sqlite3_int64 offset)
{
    int result = look_at_journal(file, offset);

    if (result == SQLITE_OK)
        result = journal_read(file->real, &file->journal, to, amount, offset);
    file->faults.damaged += result == SQLITE_CORRUPT;
    return result;
}

static int file_read(sqlite3_file *base, void *to, int amount, sqlite3_int64 offset)
{
    struct layer_file *file = layer(base);
    bool whole = is_page(amount, offset);
    int result;

    if (file->is_journal)
        return read_journal(file, to, amount, offset);
    if (file->has_sums && !whole && offset + amount > HEAD_BYTES)
        return read_part(file, to, amount, offset);
    result = read_below(file->real, to, amount, offset);
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ)
        return result;
    if (offset == 0 && amount >= HEAD_BYTES)
        learn(file, to);
    if (file->has_sums && whole && check_page(file, to, amount, offset) != SQLITE_OK)
        return SQLITE_CORRUPT;
    return result;
}

static int file_write(sqlite3_file *base, const void *from, int amount, sqlite3_int64 offset)
{
    struct layer_file *file = layer(base);
    uint8_t *page;

    if (file->is_journal)
        journal_written(&file->journal, from, amount, offset);
    else if (offset == 0 && amount >= HEAD_BYTES)
        learn(file, from);
    if (!file->has_sums || !is_page(amount, offset))
        return file->real->pMethods->xWrite(file->real, from, amount, offset);
    page = room_for(file, amount);
    if (!page)
        return SQLITE_IOERR_NOMEM;
    memcpy(page, from, (size_t)amount);
    put_sum(page, amount, (uint32_t)(offset / amount) + 1);
    return file->real->pMethods->xWrite(file->real, page, amount, offset);
}

/* --- what is passed on --- */

static int file_close(sqlite3_file *base)
{
    struct layer_file *file = layer(base);

    free(file->page);
    return file->real->pMethods->xClose(file->real);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    return real(file)->pMethods->xSync(real(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real(file)->pMethods->xFileSize(real(file), ret_size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int file_is_reserved(sqlite3_file *file, int *ret_reserved)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), ret_reserved);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int file_sector_bytes(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int file_traits(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int file_map_shared(sqlite3_file *file, int region, int bytes, int extend,
                           void volatile **ret_memory)
{
    return real(file)->pMethods->xShmMap(real(file), region, bytes, extend, ret_memory);
}

static int file_lock_shared(sqlite3_file *file, int first, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), first, count, flags);
}

static void file_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int file_unmap_shared(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

/* Version 2: SQLite does not map the file into memory, where nobody would look at its pages. */
static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_bytes,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_map_shared,
    .xShmLock = file_lock_shared,
    .xShmBarrier = file_barrier,
    .xShmUnmap = file_unmap_shared,
};

/* --- the layer --- */

static sqlite3_vfs *below(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

/* Journals have no pages in their own places; files of a moment are nobody's. */
static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                      int *ret_flags)
{
    struct layer_file *file = layer(base);
    int result;

    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return below(vfs)->xOpen(below(vfs), name, base, flags, ret_flags);
    *file = (struct layer_file){.real = (sqlite3_file *)(file + 1),
                                .is_journal = !(flags & SQLITE_OPEN_MAIN_DB)};
    result = below(vfs)->xOpen(below(vfs), name, file->real, flags, ret_flags);
    file->base.pMethods = file->real->pMethods ? &file_methods : NULL;
    return result;
}

static int layer_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    return below(vfs)->xDelete(below(vfs), name, sync);
}

static int layer_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
    return below(vfs)->xAccess(below(vfs), name, flags, ret_result);
}

static int layer_full_path(sqlite3_vfs *vfs, const char *name, int size, char *path)
{
    return below(vfs)->xFullPathname(below(vfs), name, size, path);
}

static int layer_random(sqlite3_vfs *vfs, int count, char *bytes)
{
    return below(vfs)->xRandomness(below(vfs), count, bytes);
}

static int layer_sleep(sqlite3_vfs *vfs, int microseconds)
{
    return below(vfs)->xSleep(below(vfs), microseconds);
}

static int layer_time(sqlite3_vfs *vfs, double *ret_time)
{
    return below(vfs)->xCurrentTime(below(vfs), ret_time);
}

static int layer_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    return below(vfs)->xGetLastError(below(vfs), size, text);
}

static int layer_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *ret_time)
{
    return below(vfs)->xCurrentTimeInt64(below(vfs), ret_time);
}

int page_sums_register(void)
{
    /* SQLite keeps it in a list of all processes' connections, and so it is there only once. */
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .zName = PAGE_SUMS_LAYER,
        .xOpen = layer_open,
        .xDelete = layer_delete,
        .xAccess = layer_access,
        .xFullPathname = layer_full_path,
        .xRandomness = layer_random,
        .xSleep = layer_sleep,
        .xCurrentTime = layer_time,
        .xGetLastError = layer_last_error,
        .xCurrentTimeInt64 = layer_time_ms,
    };
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

    if (!usual)
        return -ENOMEM;
    if (sqlite3_vfs_find(PAGE_SUMS_LAYER))
        return 0;
    vfs.pAppData = usual;
    vfs.mxPathname = usual->mxPathname;
    vfs.szOsFile = (int)sizeof(struct layer_file) + usual->szOsFile;
    return sqlite3_vfs_register(&vfs, false) == SQLITE_OK ? 0 : -ENOMEM;
}

/* --- of an open file --- */

/* NULL: it is of another layer, or not open. */
static struct layer_file *opened(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;

    if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || !file ||
        file->pMethods != &file_methods)
        return NULL;
    return layer(file);
}

static struct layer_file *file_of(sqlite3 *db)
{
    return opened(db, SQLITE_FCNTL_FILE_POINTER);
}

int page_sums_begin(sqlite3 *db)
{
    int bytes = SUM_BYTES;

    return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes) == SQLITE_OK
               ? 0
               : -ENOTSUP;
}

void page_sums_forgive(sqlite3 *db)
{
    struct layer_file *file = file_of(db);

    if (file)
        file->forgives = true;
}

bool page_sums_used(sqlite3 *db)
{
    const struct layer_file *file = file_of(db);

    return file && file->has_sums;
}

struct page_faults page_sums_faults(sqlite3 *db)
{
    const struct layer_file *file = file_of(db),
                            *journal = opened(db, SQLITE_FCNTL_JOURNAL_POINTER);
    struct page_faults faults = file ? file->faults : (struct page_faults){0};

    if (journal && journal->is_journal) {
        faults.damaged += journal->faults.damaged;
        faults.journal_lost = journal->journal.lost_from > 0;
    }
    return faults;
}

int page_sums_look(sqlite3 *db)
{
    struct layer_file *journal = opened(db, SQLITE_FCNTL_JOURNAL_POINTER);

    return journal && journal->is_journal ? sql_error(NULL, look_at_journal(journal, 0)) : 0;
}

int page_sums_mixed(sqlite3 *db)
{
    struct layer_file *file = file_of(db), *journal = opened(db, SQLITE_FCNTL_JOURNAL_POINTER);
    bool mixed = false;
    int result;

    if (!file || !journal || !journal->is_journal || !journal->journal.lost_from)
        return 0;
    result = journal_is_mixed(journal->real, &journal->journal, file->real, &mixed);
    return result == SQLITE_OK ? mixed : sql_error(NULL, result);
}
