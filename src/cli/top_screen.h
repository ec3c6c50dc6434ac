/* SPDX-License-Identifier: MIT */
/* The interactive form of `nwho top`: what the screen asks, answered by a session. */
#pragma once

#include "cli/session.h"
#include "derive/reconcile.h"
#include "tui/tui.h"

#define TOP_GROUPINGS 12
#define TOP_WINDOWS 4

/* Over which time rows are sorted by their traffic, both ways. */
enum top_time {
    TOP_LAST, /* since the reading before */
    TOP_2S,
    TOP_10S,
    TOP_60S,
    TOP_TOTAL,
    TOP_TIME_MAX,
};

struct top_past;
struct top_screen;

/* Where readings come from: the machine, or the history. */
struct top_frames {
    /* Names the windows, and what rows of each grouping open. 0, or EXIT_ERROR after one line on
     * stderr. */
    int (*open)(struct top_screen *screen);
    int (*begin)(struct top_screen *screen); /* when it is planned what is read; NULL: nothing */
    void (*offer)(struct top_screen *screen, struct tui_source *source); /* its callbacks */
    void (*plan)(struct group_plan *plan); /* chooses columns; NULL: the usual */
    /* Makes what the question is about the session's now; NULL: it is. 0 or -errno. */
    int (*choose)(struct top_screen *screen, const struct tui_question *question);
    void (*end)(struct top_screen *screen); /* NULL: nothing */
};

extern const struct top_frames top_live, top_past;

/* What was counted of a flow, now or when totals began at zero. */
struct top_zero {
    uint64_t flow, cgroup_id;
    uint32_t pid, uid;
    char comm[16];
    struct traffic total;
    bool seen; /* it is in the reading of now, and taken from its total */
};

/* Counters of an interface when the screen was opened. */
struct top_interface_zero {
    uint64_t identity;
    uint64_t errors, drops;
};

/* What the question was about: sockets, or a process. */
struct top_victims {
    struct buf title;       /* of the row: "nginx(1203)" */
    int pidfd;              /* of the process; -1: it is about sockets */
    struct session session; /* has read them */
    bool read;
    uint32_t *sockets;
    uint32_t count, capacity;
};

struct top_screen {
    struct session session;
    const struct options *options;
    const struct top_frames *frames;
    struct top_past *past; /* of the history; NULL: it is the present */
    struct tui_choice windows[TOP_WINDOWS];
    const struct column *usual[TOP_WINDOWS]; /* what rows are sorted by in each */
    uint32_t window_count;
    struct tui_choice groupings[TOP_GROUPINGS];
    struct group_plan plans[TOP_GROUPINGS]; /* those that were asked for have a table */
    uint32_t grouping_count;
    struct query groups;
    uint64_t about;        /* facts by which rows are grouped and filtered (enum need) */
    uint64_t needs_read;   /* what the reading of now has (the same) */
    uint64_t next_look_ns; /* CLOCK_MONOTONIC: when sockets are looked at again */
    bool looks_again;      /* the next reading does */

    /* the filter of the question, compiled for one grouping: of flows, and of groups */
    struct arena arena;
    struct buf filter_text;
    uint32_t filter_grouping;
    struct filter *filter, *groups_filter;

    struct top_zero *zeros;  /* of the moment when totals began */
    struct top_zero *totals; /* of the flows of the reading of now, by index */
    uint32_t zero_count, zero_capacity, total_count, total_capacity;
    struct top_interface_zero *interface_zeros;
    uint32_t interface_zero_count, interface_zero_capacity;
    struct tui_interface *interfaces;
    uint32_t interface_count, interface_capacity;
    struct buf accounting, reconcile, note, notes;
    struct top_victims victims;
};

/*
 * Whether the terminal can show a screen: then it is shown, and *ret_exit is the exit code. False
 * after a line on stderr: the rows are to be shown as text.
 */
bool top_screen_run(const struct options *options, int *ret_exit);

/*
 * "interfaces: named 97.2% headers 0.7% forwarded 0.0% unowned 2.1%": of all interfaces that are
 * asked for, none twice. Nothing before the second reading.
 */
void top_put_reconcile(const struct session *session, struct buf *out);

/* How exactly it is counted, and all of the rows together, also of those beyond --limit. */
void top_put_headline(const struct session *session, struct buf *out);

/* The past, without a screen: each piece of it. Returns the exit code. */
int top_pieces_run(const struct options *options);

/* In our namespace; or also in one that the options name, beside those that are read anyway. */
bool top_is_ours(const struct snapshot *snapshot, const struct interface *interface);
bool top_is_asked_for(const struct session *session, const struct interface *interface);

/* --- the parts --- */

/* What rows are sorted by unless a column is named. */
extern const struct column top_both_ways[TOP_TIME_MAX];
void top_add_window(struct top_screen *screen, struct tui_choice choice, enum top_time time);

/* The first one, if there is none of this name. */
uint32_t top_find_grouping(const struct top_screen *screen, const char *name);

/* The table of a grouping, unless it is there. 0, -EINVAL after a line on stderr, or -ENOMEM. */
int top_use_plan(struct top_screen *screen, uint32_t grouping) MUST_CHECK;

/* Makes the question the query of the groups; *ret_more: something that it needs was not read. */
int top_prepare(struct top_screen *screen, const struct tui_question *question, bool *ret_more)
    MUST_CHECK;

/* It never reads: the rates would be those of the moment since the last reading. */
int top_answer(void *context, const struct tui_question *question, struct tui_answer *ret_answer);
int top_check(void *context, uint32_t grouping, const char *filter, struct filter_error *ret_error);

/* Facts for the lines above the table; and totals since they were put to zero. */
int top_add_interface(struct top_screen *screen, const struct tui_interface *interface) MUST_CHECK;
void top_sort_interfaces(struct top_screen *screen);
void top_status(void *context, struct tui_status *ret_status);
int top_take_interfaces(struct top_screen *screen) MUST_CHECK;
int top_zero(void *context);
int top_apply_zero(struct top_screen *screen);
void top_status_done(struct top_screen *screen);

/* The condition of the switch of loopback. */
#define TOP_WITHOUT_LOOPBACK "not iface = lo"

/* Of one row. */
uint64_t top_number(const struct view *view, uint32_t row, const char *column);
void top_put_cell(const struct view *view, uint32_t row, const struct column *column,
                  struct buf *out);
void top_put_title(const struct grid *grid, uint32_t row, struct buf *title);
void top_row_facts(void *context, const struct grid *grid, uint32_t row, struct tui_row *ret_row);

/* Whether the process that has this pid now is the one that was started then. */
bool top_is_started_at(uint32_t pid, uint64_t start_ticks);

/* One argument of a shell. */
void top_put_argument(struct buf *line, const char *text);

/* Columns and conditions of the question, as arguments. */
void top_put_question(const struct tui_question *question, struct buf *line);

/* What its program was called with. */
void top_put_command_line(uint32_t pid, struct buf *line);

/* The process of a row that is of one, or NULL: a flow of it. */
const struct flow *top_process(const struct view *view, uint32_t row);

void top_explain(void *context, const struct grid *grid, uint32_t row, struct buf *line);
int top_condition(void *context, uint32_t grouping, const struct grid *grid, uint32_t row,
                  struct buf *text, struct buf *title);
void top_command(void *context, const struct tui_question *question, struct buf *line);

int top_ask(void *context, enum tui_deed deed, const struct grid *grid, uint32_t row,
            struct buf *message);
void top_act(void *context, struct buf *message);
void top_victims_done(struct top_screen *screen);
