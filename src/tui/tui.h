/* SPDX-License-Identifier: MIT */
/* The interactive screen: what it asks of the program that has the data, and how it is run. */
#pragma once

#include "table/filter.h"
#include "table/query.h"

#define TUI_FILTER_MAX 512
#define TUI_CONDITION_MAX 1024

/* Something that may be chosen: a grouping, a window. */
struct tui_choice {
    const char *name;    /* as the command line has it: "process", "10s" */
    const char *help;    /* one line */
    const char *why_not; /* it cannot be chosen, in one line; NULL: it can */
    uint32_t opens;      /* of a grouping: the one that its rows are opened in; itself: in none */
};

/* Which rows are wanted. */
struct tui_question {
    uint32_t grouping, window; /* indices into the choices of the source */
    const char *filter;        /* what the user wrote; "": everything */
    const char *within;        /* conditions of the rows that were opened; "": none */
    const char *sort;          /* name of a column; "": what is usual for the grouping */
    bool no_loopback;          /* nothing that went through lo */
    bool descending;
    bool bytes; /* how rates are shown, which only the command line has to know */
};

struct tui_answer {
    struct grid grid;          /* valid until the next refresh(); ended by grid_done() */
    const struct column *sort; /* what it is sorted by; NULL: by nothing that is shown */
    bool descending;
    bool incomplete; /* the reading lacks what the question needs; the next one has it */
};

/* What there is to know of a row besides its cells. */
struct tui_row {
    uint64_t identity; /* the same row has it in the next reading; never 0 */
    uint64_t rx, tx;   /* bytes/s since the reading before */
    bool gone;         /* closed, or exited */
    bool sick;         /* explain() says why */
};

/* A line of the strip at the top. */
struct tui_interface {
    const char *name;  /* bytes from outside */
    const char *netns; /* the same; NULL: ours */
    uint64_t identity;
    bool loopback;
    bool known;      /* there was a reading before */
    uint64_t rx, tx; /* bytes/s */
    uint64_t rx_packets, tx_packets;
    uint64_t errors, drops; /* since the screen was opened */
    /* What the bytes since the reading before, both ways, are made of. */
    bool parts_known, unowned_known;
    uint64_t named, headers, forwarded, unowned;
};

enum tui_deed {
    TUI_DESTROY,   /* the sockets of the row */
    TUI_TERMINATE, /* the process of the row, by SIGTERM */
};

struct tui_status {
    const char *host; /* bytes from outside */
    uint64_t time_ns; /* CLOCK_REALTIME of the reading; of a piece: of its beginning */
    const char *accounting, *reconcile, *note; /* lines; "": there is nothing to say */
    const char *notes;   /* lines for the help screen: all that is missing; NULL: nothing */
    const char *nothing; /* what stands in the place of rows where there are none; NULL: the usual
                          */
    bool exact;          /* accounting is of the best kind */
    const struct tui_interface *interfaces; /* the busiest first; borrowed until refresh() */
    uint32_t interface_count;
};

/* The past: equal pieces of a time, one of which is shown in the place of a reading. */
struct tui_replay {
    uint64_t since_ns, until_ns, every_ns; /* CLOCK_REALTIME; the last piece may be shorter */
    uint64_t count, first;                 /* pieces; the one to begin with */
    /* In the place of refresh(). Of the status it fills in the interfaces. */
    int (*show)(void *context, uint64_t piece, struct tui_status *ret_status);
    /* The piece at a moment, as people write it. -EINVAL with one line in `problem`. */
    int (*find)(void *context, const char *text, uint64_t *ret_piece, struct buf *problem);
};

/*
 * Who has the data. Results are 0 or -errno. Callbacks that may be NULL say so; what they write to
 * stderr is kept from the screen and shown as a message.
 */
struct tui_source {
    void *context;
    const struct tui_choice *groupings, *windows; /* of the past the first window is a piece */
    uint32_t grouping_count, window_count;
    int fd;                          /* readable: drain() is to be called; -1: never */
    const char *legend;              /* lines for the help screen; NULL: none */
    const struct tui_replay *replay; /* NULL: it is the present, with refresh(), ask(), act(),
                                        zero() */

    int (*refresh)(void *context);
    int (*drain)(void *context); /* NULL: fd is -1 */
    void (*status)(void *context, struct tui_status *ret_status);
    int (*answer)(void *context, const struct tui_question *question,
                  struct tui_answer *ret_answer);
    void (*row)(void *context, const struct grid *grid, uint32_t row, struct tui_row *ret_row);

    /* Appends what else there is to say of the row, in one line; nothing: there is nothing. May be
     * NULL. */
    void (*explain)(void *context, const struct grid *grid, uint32_t row, struct buf *line);

    /* Compiles a filter only to see whether it is one: -EINVAL with *ret_error. */
    int (*check)(void *context, uint32_t grouping, const char *filter,
                 struct filter_error *ret_error);

    /* Appends a condition that holds for what the row stands for, and the row's name for people.
     * -ENOTSUP: it stands for nothing that can be opened. */
    int (*condition)(void *context, uint32_t grouping, const struct grid *grid, uint32_t row,
                     struct buf *condition, struct buf *title);

    /* The command line that shows the same. */
    void (*command)(void *context, const struct tui_question *question, struct buf *line);

    /* Finds out what the deed would be done to, and asks: lines that name it, the last one with the
     * question. Then it is done to exactly that. `message`: what is said, also of a failure. NULL:
     * nothing can be done. */
    int (*ask)(void *context, enum tui_deed deed, const struct grid *grid, uint32_t row,
               struct buf *message);
    void (*act)(void *context, struct buf *message);

    int (*zero)(void *context); /* totals begin again; NULL: they cannot */
};

struct tui_settings {
    uint32_t grouping, window;
    uint32_t interval_ms; /* between refreshes; 0: only when asked for by a key */
    uint64_t refreshes;   /* ends after so many; 0: goes on */
    char filter[TUI_FILTER_MAX];
    char sort[64];
    bool descending;
    bool no_loopback; /* neither its rows nor its line */
    bool bytes;       /* rates in bytes; else in bits */
    bool total_bits;  /* totals in bits; else in bytes */
    bool color;       /* may be used */
    bool dumb_glyphs; /* ASCII also where the terminal knows more */
};

/* Whether standard input and output are a terminal that a screen can be shown on. 0, or -errno with
 * one line why not. */
int tui_check(struct buf *reason) MUST_CHECK;

/*
 * Shows the screen until it is ended by a key (0) or by a signal (its number in *ret_signal, else
 * 0). The terminal is as it was when this returns, and also when the program crashes. What was
 * written to stderr meanwhile and not shown is written then.
 */
int tui_run(const struct tui_source *source, struct tui_settings *settings, int *ret_signal)
    MUST_CHECK;
