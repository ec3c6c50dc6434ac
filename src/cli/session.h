/* SPDX-License-Identifier: MIT */
/* A session: what one command works with, from its options to the exit code. */
#pragma once

#include "base/arena.h"
#include "cli/command.h"
#include "derive/health/health.h"
#include "derive/join.h"
#include "derive/link_history.h"
#include "derive/names.h"
#include "derive/rates.h"
#include "model/fleet.h"
#include "model/request.h"
#include "model/selfcheck.h"
#include "table/group.h"

struct accounting;
struct resolver;
struct rules;

/* One moment, read and joined. */
struct frame {
    struct snapshot snapshot;
    struct join join;
    struct rates rates;        /* since the frame before */
    struct link_history links; /* since the first frame, where interfaces are read */
    struct view view;
    uint32_t *process_ills;     /* where processes are shown */
    struct findings findings;   /* since the frame before, where session->health says so */
    struct group group;         /* of `count` */
    struct fleet fleet;         /* of `fleet` */
    struct selfcheck selfcheck; /* of `selfcheck` */
};

struct session {
    const struct options *options;
    struct arena arena; /* queries, filters, requests */
    struct names names;
    struct resolver *resolver; /* of -r; lives as long as the program */
    struct buf scratch;
    struct filter *filters[8]; /* compiled by session_filter(), freed at the end; `nwho PID` has 5
                                */
    uint32_t filter_count;
    const struct filter *words; /* what the user asked for, of `filters`; NULL: everything */
    struct request request;     /* of the next session_take() */
    struct frame *now;          /* NULL before the first session_take() */
    struct frame *before;       /* of the reading before; NULL in the first */
    bool shows_keys;            /* below each refresh of --watch */
    bool shown;           /* a reading was shown: neither its notes nor a header are repeated */
    struct query *groups; /* of `count`: shows the groups of the rows that were selected; NULL
                         elsewhere */
    const struct group_plan *plan;
    struct map ills; /* of `top`: cookies of sick sockets, by the last reading that looked at any */
    bool looked;     /* there was one */
    bool marks_processes;             /* rows are processes, which sick sockets mark */
    const struct health_plan *health; /* what is examined in each reading; NULL: nothing is */
    struct rules *rules;              /* of findings beside other rows; NULL: none are read */
    const char *no_health;            /* why nothing is, though it should be; NULL: it is */
    bool health_only;                 /* of `doctor`: rows are what it finds between two readings */
    bool continues;                /* of `doctor`: the window begins with a reading of nwho serve */
    bool health_of_rows;           /* of TARGET: only what concerns the rows */
    struct programs *programs;     /* of BPF, for all readings; NULL: each loads its own */
    struct accounting *accounting; /* counts traffic between the readings; NULL: nobody asks */
    unsigned int recorded; /* enum store_part: read from the history; 0: the machine is read */
    /* Of `fleet`: makes a snapshot and what a server says of many hosts, instead of reading the
     * machine. 0, or EXIT_ERROR after one line on stderr. */
    int (*reader)(void *context, struct frame *frame);
    void *reader_context;
    bool window;     /* what is counted between readings is shown without being named */
    bool traffic;    /* of `top`: what was counted since the reading before is shown, never marks of
                        what has changed, and rates in bits */
    bool all_flows;  /* of `top` and TARGET: also traffic of namespaces that are not read */
    bool everywhere; /* of `top`: traffic of every namespace is counted, so their interfaces and
                        listeners are read as well */
    /* Of `top`: the rest of the line above the rows; NULL: there is none. */
    void (*headline)(const struct session *session, struct buf *out);
    /* Of `if DEV` and of `nwho` alone: writes rows in text; NULL: session_write(). The room is that
     * of a terminal on which they are shown again and again, or 0. Returns 0, -errno, or EXIT_ERROR
     * after saying why. */
    int (*screen)(void *context, const struct grid *grid, uint32_t rows, uint32_t columns,
                  struct buf *out);
    void *screen_context;
    const struct table *const *catalogue; /* of `columns`: the tables to list, ends with NULL */
};

/* Takes in the options that say what to read. 0, or EXIT_ERROR after one line on stderr. */
int session_begin(struct session *session, const struct options *options) MUST_CHECK;
void session_end(struct session *session);

/* Of it: namespaces and sources. 0, or EXIT_ERROR after one line on stderr. */
int session_sources(struct session *session) MUST_CHECK;

/* Says why there is no namespace of this name, by an error as of netns_parse(). EXIT_ERROR. */
int session_netns_error(const char *name, int error);

/*
 * Compiles the filter: what the letters of ss(8) say, a condition of the command itself (`own`,
 * may be NULL), and the words of the command line. 0, or EXIT_ERROR after a line with a caret.
 */
int session_filter(struct session *session, struct query *query, const char *own) MUST_CHECK;

/*
 * Says what is wrong with an expression, and points at it with a caret; what `error` counts from is
 * `offset` bytes before `text`. Returns EXIT_ERROR.
 */
int session_filter_error(const char *text, const struct filter_error *error, size_t offset);

/* Whether the words of the command line are a filter of this table; nothing is said if not. 0, or
 * EXIT_ERROR after one line on stderr. */
int session_filter_fits(struct session *session, const struct table *table, bool *ret_fits)
    MUST_CHECK;

/* What the filter that was compiled last says of groups becomes their filter: filter_split(). 0 or
 * EXIT_ERROR. */
int session_split_filter(struct session *session, struct query *groups) MUST_CHECK;

/* The same with `words` instead of those of the command line. */
int session_filter_text(struct session *session, struct query *query, const char *own,
                        const char *words) MUST_CHECK;

/*
 * Appends an argument of the command line to an expression. With blanks it is a part of it ("rtt >
 * 1 ms"), but in quotes where it is nothing but names: then it is one.
 */
void session_put_word(struct session *session, const struct table *table, const char *word,
                      struct buf *text);
void session_put_quoted(const char *word, struct buf *text);

/* The letters of ss(8) as an expression; nothing where there are none. */
void session_put_letters(const struct session *session, struct buf *text);

/* The letters, where they say what is read rather than which rows are shown. */
void session_narrow(struct session *session, uint32_t usual_protos);

/*
 * When nothing was found: lines on stderr about what may have been meant otherwise, and about other
 * network namespaces; the second alone.
 */
void session_hint(const struct session *session);
void session_hint_netns(const struct session *session);

/* Compiles an expression of the program's own. 0 or EXIT_ERROR. */
int session_own_filter(struct session *session, struct query *query, const char *text) MUST_CHECK;

/*
 * Columns of the query: -o, --json=..., else `usual` in text (comma separated; NULL: the table's
 * own). And --sort, --limit. 0 or EXIT_ERROR.
 */
int session_columns(struct session *session, struct query *query, const char *usual) MUST_CHECK;

/* Adds to session->request what the query needs. 0 or EXIT_ERROR. */
int session_plan(struct session *session, struct query *query) MUST_CHECK;

/*
 * Sick rows of a planned query are marked, where it is text and nobody names columns. By what is
 * read anyway: a process that does not read, say, only shows where memory or windows are read.
 */
void session_mark(struct session *session, struct query *query);

/* The same for one of several queries on one reading: adds its needs, and narrows nothing. */
int session_plan_also(struct session *session, const struct query *query) MUST_CHECK;

/* What --by says (usually process): groups of flows. 0, or EXIT_ERROR after one line on stderr. */
int session_plan_groups(struct session *session, struct group_plan *plan) MUST_CHECK;

/*
 * Begins to count traffic, when the planned queries need it and the machine itself is read. From
 * then on each session_take() has what was counted since the one before. 0 or EXIT_ERROR.
 */
int session_account(struct session *session) MUST_CHECK;

/* One reading, joined, for session_free_frame(). 0 or EXIT_ERROR. */
int session_read(struct session *session, const struct request *request, struct frame **ret_frame)
    MUST_CHECK;
void session_free_frame(struct frame *frame);

/* The same for the doctor: what its plan needs at this moment. *ret_glance: what it saw before it
 * looked closer; NULL: it did not. */
int session_look(struct session *session, struct frame **ret_frame, struct frame **ret_glance)
    MUST_CHECK;

/* Makes a frame to `now`, which becomes `before`; it is the session's then. 0 or EXIT_ERROR. */
int session_push(struct session *session, struct frame *frame) MUST_CHECK;

/*
 * Examines `now` by session->health, where there is something to compare it with. A recording is
 * one moment: what only shows in the course of time is not found there. 0 or EXIT_ERROR.
 */
int session_find(struct session *session) MUST_CHECK;

/*
 * Reads the machine (or the replay file) into `now`; what was now becomes `before`. Records.
 * 0 or EXIT_ERROR.
 */
int session_take(struct session *session) MUST_CHECK;

/*
 * Makes a snapshot that was read elsewhere to `now`, without any before; it is the session's then.
 * 0 or EXIT_ERROR.
 */
int session_adopt(struct session *session, struct snapshot *snapshot) MUST_CHECK;

/* The same as a frame of its own, joined, for session_free_frame(). */
int session_frame(struct session *session, struct snapshot *snapshot, struct frame **ret_frame)
    MUST_CHECK;

/* The same, joined, and with what was now as before: what session_take() does with a reading. */
int session_adopt_reading(struct session *session, struct snapshot *snapshot) MUST_CHECK;

/* The same before all that is shown: from then on traffic is counted. */
int session_take_baseline(struct session *session) MUST_CHECK;

/*
 * With -d: takes the first of the two readings and waits, so that the next session_take() has what
 * happened meanwhile. A recording is only one reading. 0 or EXIT_ERROR.
 */
int session_take_first(struct session *session, const struct query *query) MUST_CHECK;

/*
 * The same with a reading that was made elsewhere as the first of the two; it is the session's
 * then. Waits until it is a second old. 0 or EXIT_ERROR.
 */
int session_continue(struct session *session, const struct query *query, struct snapshot *snapshot)
    MUST_CHECK;

/*
 * The same where the planned queries need what is counted between two readings, also without -d:
 * then for a second, which is told on stderr. 0 or EXIT_ERROR.
 */
int session_measure(struct session *session) MUST_CHECK;

/*
 * Reads with session_take() and selects the rows of a planned query, or with `count` the groups
 * that they make. 0 and a grid to be ended by grid_done(), or EXIT_ERROR.
 */
int session_select(struct session *session, const struct query *query, struct grid *ret_grid)
    MUST_CHECK;

/* The same of what `now` is already. */
int session_select_now(struct session *session, const struct query *query, struct grid *ret_grid)
    MUST_CHECK;

/*
 * Plans, reads and shows the query: once, or again and again with --watch. Returns the exit code.
 */
int session_show(struct session *session, struct query *query) MUST_CHECK;

/* True when text goes to a terminal or colour is forced. */
bool session_color(const struct session *session);

/*
 * A whole command that is one query: its filter (`own` as in session_filter()), its columns
 * (`usual` as in session_columns()), shown. Returns the exit code.
 */
int session_answer(const struct options *options, struct query *query, const char *own,
                   const char *usual) MUST_CHECK;

/* Writes a grid in the format of the options. 0 or -errno. */
int session_write(struct session *session, const struct grid *grid, struct buf *out) MUST_CHECK;

/* Writes `out` to standard output, through the pager where it is long; ends `out`. 0 or EXIT_ERROR.
 */
int session_output(struct session *session, struct buf *out) MUST_CHECK;

/*
 * Leaves notes about traffic of processes that ended before what the query or its grouping asks of
 * them could be read. 0 or -ENOMEM.
 */
int session_note_doubts(struct session *session, const struct query *rows,
                        const struct group_plan *plan) MUST_CHECK;

/* Notes that the user must know, on stderr. */
void session_notes(struct session *session);

/*
 * Whether every text of the rows could be made. Without memory a text is empty, and a filter that
 * asks for it decides wrongly. 0, or EXIT_ERROR after a line on stderr.
 */
int session_check(const struct session *session) MUST_CHECK;

/* The exit code after showing `rows` rows. */
int session_exit(const struct session *session, uint32_t rows);
