/* SPDX-License-Identifier: MIT */
/* Journal: what SQLite has written beside the file (-wal), and whether it is still that. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_SALT_BYTES 8

/*
 * Each frame of it, which has one page, has a checksum that goes on from that of the frame before.
 * Who opens the file after a writer that was killed takes all frames until one is not right, and
 * forgets the others without a word. That is right for what a power cut left of a transaction, and
 * wrong where it is damaged.
 */
struct journal {
    uint32_t page_bytes;               /* 0: not known yet */
    bool big_endian;                   /* the words that are added up */
    uint8_t salts[JOURNAL_SALT_BYTES]; /* in all frames since it last began anew */
    sqlite3_int64 known_until; /* end of the transactions that are not forgotten; 0: there are none
                                */
    sqlite3_int64 lost_from;   /* first frame that is forgotten because of damage; 0: none */
    bool is_one_bit;           /* all of its damage */
    sqlite3_int64 page_next;   /* where the page belongs whose frame's header was written last */
    sqlite3_int64 stale;       /* pages from here on may be newer than their checksums; 0: none */
};

/* SQLite would take an error of the disk for a damaged page, which nobody knows it to be. */
int read_below(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset);

/* Looks at all of it, before SQLite does, which forgets what is behind damage. SQLite's result. */
int journal_look(sqlite3_file *file, struct journal *journal);

/*
 * Whether the history's file has pages that come from forgotten frames: those that are not
 * forgotten, which SQLite then puts before them, are older, and both do not fit together.
 */
int journal_is_mixed(sqlite3_file *file, const struct journal *journal, sqlite3_file *history,
                     bool *ret_mixed);

/* Reads as the file behind it does, and looks at pages. SQLITE_CORRUPT: one is not what was
 * written. */
int journal_read(sqlite3_file *file, struct journal *journal, void *to, int amount,
                 sqlite3_int64 offset);

/* These bytes are being written. */
void journal_written(struct journal *journal, const void *from, int amount, sqlite3_int64 offset);
