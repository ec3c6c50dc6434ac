/* SPDX-License-Identifier: MIT */
/* Screens: what they share, the state of the interactive program. */
#pragma once

#include "tui/keys.h"
#include "tui/list.h"
#include "tui/prompt.h"
#include "tui/terminal.h"
#include "tui/tui.h"

#define LEVELS_MAX 6

/* A table that is shown; opening a row puts another one above it. */
struct level {
    uint32_t grouping;
    char within[TUI_CONDITION_MAX]; /* conditions of all rows that were opened */
    char title[256];                /* of the opened row, escaped; "" at the bottom */
    char sort[64];
    bool descending;
    uint64_t opened;        /* identity of the row whose sockets these are: it has the curve */
    uint64_t back_identity; /* what was selected below */
    uint32_t back_top;
    bool back_follows;
};

enum screen {
    SCREEN_TABLE,
    SCREEN_HELP,
    SCREEN_FILTER,  /* the table, and a prompt below */
    SCREEN_SORT,    /* the same */
    SCREEN_TIME,    /* the same, of the past */
    SCREEN_CONFIRM, /* a question that is answered by y */
};

/* Which piece of the past is shown, and how it is played. */
struct playing {
    uint64_t piece;
    uint64_t sampled; /* up to this piece, while `has_samples` */
    bool has_samples;
    uint32_t speed; /* place in the list of speeds */
};

struct tui {
    const struct tui_source *source;
    struct tui_settings *settings;
    struct terminal terminal;
    struct tui_status status;
    struct tui_answer answer;
    bool answered;
    struct list list;
    struct series series; /* of rows */
    struct series rx, tx; /* of interfaces */
    struct playing playing;
    struct level levels[LEVELS_MAX];
    uint32_t level;
    enum screen screen;
    struct prompt prompt;
    uint32_t help_top;
    int table_line; /* where the heading is, for the mouse */
    bool paused, frozen, quit;
    bool wants_reading; /* as soon as one may be, also while it is paused */
    uint64_t refreshes;
    uint64_t read_ms;    /* of CLOCK_MONOTONIC: the last reading */
    struct buf question; /* lines above the message while it asks, escaped */
    struct buf message;  /* escaped; until the next key */
    bool message_is_error;
};

/* Whether a line is asked for. */
static inline bool tui_asks(const struct tui *tui)
{
    return tui->screen == SCREEN_FILTER || tui->screen == SCREEN_SORT || tui->screen == SCREEN_TIME;
}

/* The question that the settings make. */
struct tui_question tui_question(const struct tui *tui);

static inline struct level *tui_level(struct tui *tui)
{
    return &tui->levels[tui->level];
}

/* Asks the source again, on the reading that it has. 0 or -errno; then the old answer is gone. */
int tui_ask(struct tui *tui) MUST_CHECK;

/* Other rows are going to come: what was sampled so far is not of them. */
void tui_forget_samples(struct tui *tui, uint64_t but_of);

/* The values of rows, and of interfaces, are the newest ones of curves. 0 or -ENOMEM. */
int tui_sample_rows(struct tui *tui, const struct list *list) MUST_CHECK;
int tui_sample_interfaces(struct tui *tui, const struct tui_status *status) MUST_CHECK;

/* Reads again, and asks. Only when it is time: the rates of a moment are those of chance. */
int tui_refresh(struct tui *tui) MUST_CHECK;

void tui_say(struct tui *tui, bool is_error, const char *format, ...) PRINTF_LIKE(3, 4);

/* What a key does. 0 or -errno. */
int tui_key(struct tui *tui, uint32_t key, const struct terminal_mouse *mouse) MUST_CHECK;

/* --- actions.c, and prompts.c that asks before something is done --- */

void prompts_begin_sort(struct tui *tui);
void prompts_begin_filter(struct tui *tui);
void prompts_ask(struct tui *tui, enum tui_deed deed);

void prompts_begin_time(struct tui *tui);

/* A key while something is asked. 0 or -errno. */
int prompts_key(struct tui *tui, uint32_t key) MUST_CHECK;

/* Large numbers first, texts from a to z. */
bool actions_descends(const struct column *column);
int actions_sort(struct tui *tui, const struct column *column, bool descending) MUST_CHECK;

/* --- playing.c: the past --- */

void playing_begin(struct tui *tui);

/* Makes the piece the reading, with curves up to it of what the question is about. 0 or -errno. */
int playing_show(struct tui *tui) MUST_CHECK;

/* Between pieces while it plays. */
uint32_t playing_interval_ms(const struct tui *tui);

/* The next piece; false: that was the last one. */
bool playing_advance(struct tui *tui);

void playing_go_to(struct tui *tui, uint64_t piece);
void playing_act(struct tui *tui, enum tui_action action);

/* "10x": how much faster than it was. */
void playing_put_speed(const struct tui *tui, struct buf *out);

/* --- */

void tui_draw(struct tui *tui);

/* Draws from this line on; gives the first one that is free. */
int screen_strip_draw(const struct tui *tui, int line);

/* Where in the past it is; in one line. */
void screen_timeline_draw(const struct tui *tui, int line);

void screen_help_draw(struct tui *tui);

/* Lines of the help, without drawing them. */
uint32_t screen_help_lines(const struct tui *tui);
