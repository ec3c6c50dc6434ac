/* SPDX-License-Identifier: MIT */
/* Reader: goes through the file once, and fills the pieces of the asked time in their order. */
#pragma once

#include "store/past.h"
#include "store/schema.h"

struct reader {
    struct store *store;
    struct store_question question;
    int (*take)(struct store_answer *answer, void *context);
    void *context;
    uint64_t every_ns;
    uint64_t count;      /* pieces */
    uint64_t first;      /* number of the first that is not answered yet */
    struct past *open;   /* from `first` on, those that something is known of */
    uint32_t open_begin; /* before it are those that were answered since it grew */
    uint32_t open_count, open_capacity;
    sqlite3_stmt *statements[CHUNK_KIND_MAX][COARSE_MAX]; /* rows of the coarse tables */
    sqlite3_stmt *span;
    uint32_t *piece_of_tick;
    uint32_t ticks_capacity;
    uint32_t broken; /* parts of the file that could not be read */
    bool uses_coarse;
    uint64_t late_ns; /* seconds are told apart: a reading so late is of the one before */
    struct map seconds[CHUNK_KIND_MAX]; /* time of a tick that is read second by second */
    enum coarse coarse;
    uint64_t hours_s;   /* from when on there are all hours */
    unsigned int kinds; /* bits of enum chunk_kind */
};

void reader_done(struct reader *reader);

/* Answers the pieces that end before `time_ns`. */
int reader_answer(struct reader *reader, uint64_t time_ns) MUST_CHECK;

/* Adds what the coarse tables have of a piece. */
int reader_add_coarse(struct reader *reader, struct past *past) MUST_CHECK;

/* Adds all chunks of the time; of all ticks, or of those that are in no coarse table. */
int reader_add_chunks(struct reader *reader) MUST_CHECK;

/* Whether keys of this kind are read without the endpoint. */
static inline bool reader_folds(const struct reader *reader, enum chunk_kind kind)
{
    return kind == CHUNK_FLOWS && !(reader->question.parts & STORE_PEERS);
}
