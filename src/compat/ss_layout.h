/* SPDX-License-Identifier: MIT */
/* The columns of ss(8) 6.1: texts go in field by field, lines come out when widths are known. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum ss_column {
    SS_COLUMN_NETID,
    SS_COLUMN_STATE,
    SS_COLUMN_RECV_Q,
    SS_COLUMN_SEND_Q,
    SS_COLUMN_LOCAL_ADDRESS,
    SS_COLUMN_LOCAL_PORT,
    SS_COLUMN_PEER_ADDRESS,
    SS_COLUMN_PEER_PORT,
    SS_COLUMN_PROCESS,
    SS_COLUMN_MAX,
};

/*
 * Every text between two columns is a field. The real tool keeps the fields of some 4 MiB of output
 * before it prints them, and so a long output changes its widths on the way: that is kept.
 */
struct ss_layout {
    struct buf text;   /* the fields of this block, one behind the other */
    uint16_t *lengths; /* owned: of the fields */
    uint32_t field_count, field_capacity;
    size_t start;       /* of the field under way, in text */
    enum ss_column at;  /* column of the field under way */
    uint32_t chunk_use; /* bytes of the last chunk in use, with those of the field under way's head;
                           0: there is no chunk */
    uint32_t chunks;
    struct {
        bool hidden;
        uint32_t widest; /* longest field so far */
        uint32_t width;  /* to be printed with; 0: nothing is in it */
    } columns[SS_COLUMN_MAX];
    bool terminal; /* what comes from other processes is to be escaped */
    int screen;    /* columns of the terminal; 0: there is none */
    struct buf out;
    int error;
};

/* Writes to standard output. */
void ss_layout_init(struct ss_layout *layout);
void ss_layout_done(struct ss_layout *layout);

void ss_layout_header(struct ss_layout *layout);

/* Where the text of the field under way is to be appended. */
static inline struct buf *ss_layout_text(struct ss_layout *layout)
{
    return &layout->text;
}

/* Appends bytes that come from outside: escaped where they would reach a terminal. */
void ss_layout_foreign(struct ss_layout *layout, const char *bytes, size_t length);

/* Ends the field under way. */
void ss_layout_next(struct ss_layout *layout);

/* Ends fields until `column` is the one under way. */
void ss_layout_go(struct ss_layout *layout, enum ss_column column);

/* Prints what is left, with its line end; more may follow, in columns that are as wide at least. 0
 * or -errno, also of everything before. */
int ss_layout_finish(struct ss_layout *layout) MUST_CHECK;
