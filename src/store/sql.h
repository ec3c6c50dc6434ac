/* SPDX-License-Identifier: MIT */
/* SQL: what the parts of the store share: the open file, its statements, and errors as errno. */
#pragma once

#include "store/chunk.h"
#include "store/dictionaries.h"
#include "store/ring.h"
#include "store/schema.h"

#include <sqlite3.h>

/* Prepared once, when first used. */
enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_ADD_NOTE,
    STATEMENT_ADD_CHUNK,
    STATEMENT_READ_CHUNK,
    STATEMENT_FRESH_CHUNKS,
    STATEMENT_KEEP_LARGE,
    STATEMENT_DROP_FRESH,
    STATEMENT_ADD_SPAN,
    STATEMENT_ADD_INSTANCE,
    STATEMENT_LAST_INSTANCE,
    STATEMENT_KNOW_INSTANCE,
    STATEMENT_HOST,
    STATEMENT_ADD_SECONDS,
    STATEMENT_READ_SECONDS,
    STATEMENT_READ_NOTES,
    STATEMENT_RING_NOTES,
    STATEMENT_RING_STATE,
    STATEMENT_NAME,                                       /* two of each dictionary: find, add */
    STATEMENT_KNOW = STATEMENT_NAME + 2 * DICTIONARY_MAX, /* one of each dictionary */
    STATEMENT_COARSE = STATEMENT_KNOW + DICTIONARY_MAX,   /* to write each table of each kind */
    STATEMENT_MAX = STATEMENT_COARSE + COARSE_MAX * CHUNK_KIND_MAX,
};

struct counter_set {
    struct map index; /* what stands for a thing -> row */
    uint64_t *rows;
    uint32_t count, capacity;
};

/* Counters of each thing when they were last written, and now. */
struct baseline {
    uint32_t width; /* counters of one thing */
    struct counter_set last, present;
    uint64_t boot_ns; /* of `last`; 0: there was none */
    bool used;        /* the present tick has such things, of which there may be none to compare */
};

enum baseline_id {
    BASELINE_INTERFACES,    /* by ids of the dictionary */
    BASELINE_COUNTERS,      /* by ids of the dictionary: those that were not 0 */
    BASELINE_COUNTER_FILES, /* by hashes: which there were */
    BASELINE_MAX,
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_MAX];
    struct codec codec;
    struct dictionaries names;
    struct store_limits limits;
    int64_t version;   /* of the file's schema */
    uint32_t broken;   /* parts of the file that could not be read until now */
    bool journal_lost; /* the last of what was written is not in the file */
    int lock_fd;
    /* of the writer: */
    struct buf bytes; /* of the chunk that is being written */
    struct baseline baselines[BASELINE_MAX];
    struct ring ring;
    uint64_t time_ns, boot_ns;       /* of the last tick; 0: none */
    uint64_t slot;                   /* of the ticks that are not merged yet */
    uint64_t hold_until_ns;          /* CLOCK_BOOTTIME: nothing is old before, see retention.c */
    bool has_host;                   /* it is written which machine this is */
    bool waits;                      /* for the disk, at the end of a transaction */
    bool has_fresh;                  /* there are ticks that could not be merged */
    uint64_t swept_day;              /* since 1970, when names were last forgotten */
    char *path;                      /* whole, for when the file must be begun anew */
    uint64_t mend_ns;                /* CLOCK_BOOTTIME: before it the file is not checked again */
    uint64_t lost_ticks, lost_since; /* since writing failed: how many, time of the first */
    int lost_error;
};

/* Reopens a file that is damaged, or sets it aside and begins a new one, which then says so. */
int store_mend(struct store *store) MUST_CHECK;

/* -errno of what SQLite said last, of its result `result`; 0 of SQLITE_OK, ROW and DONE. */
int sql_error(sqlite3 *db, int result);

/* The statement, with nothing bound. 0 or -errno. */
int sql_prepare(struct store *store, unsigned int statement, const char *text,
                sqlite3_stmt **ret_statement) MUST_CHECK;

/* One that is used once; the caller finalizes it. */
int sql_prepare_once(struct store *store, const char *text, sqlite3_stmt **ret_statement)
    MUST_CHECK;

/* Runs one that has no rows. */
int sql_run(sqlite3_stmt *statement) MUST_CHECK;
int sql_run_text(struct store *store, const char *text) MUST_CHECK;

/* The next row: 1, or 0 at the end, when the statement has been reset; -errno. */
int sql_step(sqlite3_stmt *statement) MUST_CHECK;

/* The one number of a query, 0 when it has no row or NULL. */
int sql_number(struct store *store, const char *text, int64_t *ret_number) MUST_CHECK;

static inline void sql_bind(sqlite3_stmt *statement, int index, uint64_t number)
{
    sqlite3_bind_int64(statement, index, (int64_t)number);
}

/* Borrowed until the statement is reset. */
static inline void sql_bind_text(sqlite3_stmt *statement, int index, const char *text,
                                 size_t length)
{
    sqlite3_bind_text(statement, index, text, (int)length, SQLITE_STATIC);
}

static inline uint64_t sql_column(sqlite3_stmt *statement, int index)
{
    return (uint64_t)sqlite3_column_int64(statement, index);
}

void sql_finalize(sqlite3_stmt **statement);
#define CLEANUP_STATEMENT CLEANUP(sql_finalize)
