/* SPDX-License-Identifier: MIT */
/* The interactive form of `nwho top`: what the screen asks, answered by a session. */
#pragma once

#include "cli/session.h"
#include "derive/reconcile.h"
#include "tui/tui.h"

#define TOP_GROUPINGS 12
#define TOP_WINDOWS 4

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

/* In our namespace; or also in one that the options name, beside those that are read anyway. */
bool top_is_ours(const struct snapshot *snapshot, const struct interface *interface);
bool top_is_asked_for(const struct session *session, const struct interface *interface);

/* --- the parts --- */

extern const struct tui_choice top_windows[TOP_WINDOWS];

/* Facts for the lines above the table; and totals since they were put to zero. */
void top_status(void *context, struct tui_status *ret_status);
void top_take_interfaces(struct top_screen *screen);
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
