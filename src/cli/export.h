/* SPDX-License-Identifier: MIT */
/* Export: kinds of what was recorded, and passes over the pieces of a time for one of them. */
#pragma once

#include "cli/session.h"
#include "store/store.h"

struct export_kind {
    const char *name; /* "flow" */
    const struct table *table;
    unsigned int parts; /* enum store_part; traffic of processes: what the columns need is added */
    const char *const *columns; /* ends with NULL */
    uint32_t process_columns;   /* the first so many of them say whose it is */
    /* How much of a piece was measured, ns. NULL: rows are not of pieces, but have times. */
    uint64_t (*measured)(const struct store_answer *answer);
};

extern const struct export_kind export_kinds[];
extern const uint32_t export_kind_count;

/* NULL: there is none. */
const struct export_kind *export_kind_find(const char *name);

struct export
{
    const struct options *options;
    struct store *store;
    struct store_question question; /* time and pieces */
    uint64_t rows;                  /* that were written */
    bool incomplete;                /* something could not be read, which was said */
    struct buf out;                 /* unless it is SQLite */
};

/* What is asked of the pieces in their order. */
struct export_pass {
    const struct export_kind *kind;
    /* A piece: its times and what was measured in it are in `answer`, the rest in the grid. 0 or
     * -errno. */
    int (*take)(struct export_pass *pass, const struct store_answer *answer,
                const struct grid *grid);
    void *context;
};

/* Whether the words of the command line say something about rows of this kind. 0, or EXIT_ERROR
 * after one line on stderr. */
int export_filter_fits(const struct options *options, const struct export_kind *kind,
                       bool *ret_fits) MUST_CHECK;

/* Reads the time of `question` piece by piece. 0, EXIT_ERROR after one line on stderr, or -errno of
 * `take`. */
int export_read(struct export *export, struct export_pass *pass,
                const struct store_question *question) MUST_CHECK;

/* The kinds that are asked for: --by, else all that the filter says something about. 0, EXIT_ERROR
 * or -errno. */
int export_each_kind(struct export *export,
                     int (*take)(struct export *export, const struct export_kind *kind,
                                 void *context),
                     void *context) MUST_CHECK;

/* Writers of the formats: to export->out, or as a new file. 0, EXIT_ERROR or -errno. */
int export_jsonl(struct export *export) MUST_CHECK;
int export_csv(struct export *export) MUST_CHECK;
int export_metrics(struct export *export) MUST_CHECK;
int export_sqlite(struct export *export, const char *path) MUST_CHECK;
