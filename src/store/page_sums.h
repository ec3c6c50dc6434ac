/* SPDX-License-Identifier: MIT */
/* Page sums: each page of the history has a checksum, in bytes at its end that SQLite leaves free.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A layer below SQLite, between it and the file. Of the last eight bytes of a page, which are
 * little-endian, 0 says that there is no checksum: what SQLite is given has 0 there, so that pages
 * that another program moves out of the journal have none, rather than a wrong one. Files that have
 * no such bytes are read and written as they are.
 */
#define PAGE_SUMS_LAYER "nwho-sums"

/* What was wrong with what has been read of an open file until now. */
struct page_faults {
    uint32_t damaged;  /* reads of pages that are not what was written */
    uint32_t first;    /* number of the first such page, from 1 on; 0: in the journal */
    uint32_t unsummed; /* reads of pages without a checksum */
    bool journal_lost; /* transactions of the journal cannot be read any more */
};

/* Makes the layer known to SQLite; again it does nothing. 0 or -errno. */
int page_sums_register(void);

/* Pages of this file, which has none yet, will have checksums. */
int page_sums_begin(sqlite3 *db);

/*
 * From now on damaged pages that are no part of a tree are read all the same: chunks, which are all
 * but a few of what such pages have, have checksums of their own, and so a writer need not set the
 * file aside for one of them.
 */
void page_sums_forgive(sqlite3 *db);

bool page_sums_used(sqlite3 *db);
struct page_faults page_sums_faults(sqlite3 *db);

/* Goes through the journal, where SQLite did not: who had it open before has done so for others. 0
 * or -errno. */
int page_sums_look(sqlite3 *db);

/* Whether what is left of a damaged journal does not fit the file, see journal_is_mixed(): 1 or 0,
 * -errno. */
int page_sums_mixed(sqlite3 *db);
