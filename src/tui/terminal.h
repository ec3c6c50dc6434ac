/* SPDX-License-Identifier: MIT */
/* Terminal: started and stopped; given back as it was whatever happens; keys, signals, and pens. */
#pragma once

#include "base/buf.h"

#include <poll.h>

/* How something looks. Without colour these are bold, dim and reverse, where the terminal has
 * them; whatever they say is in the text too. */
enum paint {
    PAINT_PLAIN,
    PAINT_TITLE,
    PAINT_HEAD,     /* of the table */
    PAINT_SORTED,   /* the heading that it is sorted by */
    PAINT_SELECTED, /* row */
    PAINT_DIM,      /* closed, exited, of no importance */
    PAINT_RX,
    PAINT_TX,
    PAINT_WARN,
    PAINT_GOOD,
    PAINT_KEY,
    PAINT_MAX,
};

struct terminal {
    int rows, columns;
    bool utf8;   /* characters beyond ASCII can be written */
    bool glyphs; /* and blocks and braille be drawn */
    bool mouse;
    unsigned int attributes[PAINT_MAX]; /* as curses has them */
};

struct terminal_mouse {
    int row, column;
    enum { MOUSE_OTHER, MOUSE_CLICK, MOUSE_DOUBLE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN } what;
};

/* What signals asked for, since the last terminal_events(). */
struct terminal_events {
    int leave; /* number of the signal that ends the program; 0: none */
    bool suspend, resized, continued;
};

struct terminal_options {
    bool color, ascii;
};

/* Whether there is a terminal that can move its cursor. 0 or -errno with the reason. */
int terminal_check(struct buf *reason) MUST_CHECK;

/* Only one can be started. 0 or -errno. */
int terminal_start(const struct terminal_options *options, struct terminal *ret_terminal)
    MUST_CHECK;
void terminal_stop(void);

/* Readable when a signal came. */
int terminal_event_fd(void);
struct terminal_events terminal_events(void);

/* Gives the terminal back, stops the process as Ctrl-Z does, and starts again when it goes on. */
void terminal_suspend(struct terminal *terminal);

/* Takes in the size that the terminal has now; what is drawn next is drawn whole. */
void terminal_resize(struct terminal *terminal);

void terminal_set_mouse(struct terminal *terminal, bool on);

/* The next key that was typed, TUI_KEY_NONE when there is none. */
uint32_t terminal_key(struct terminal_mouse *ret_mouse);

/* Appends what was written to stderr since the last time: the screen must not be torn. */
void terminal_errors(struct buf *out);

/* A new screen is empty until pens write on it; terminal_show() sends what differs. */
void terminal_clear(void);
void terminal_show(int cursor_row, int cursor_column); /* -1, -1: no cursor is seen */

/* --- pens: write from a place on to the right, never beyond their end --- */

struct pen {
    const struct terminal *terminal;
    int row, column, end; /* the end is exclusive */
};

struct pen pen_at(const struct terminal *terminal, int row, int column, int end);

/* Text that is escaped already; cut with a mark where it does not fit. */
void pen_put(struct pen *pen, enum paint paint, const char *text, size_t length);
void pen_buf(struct pen *pen, enum paint paint, const struct buf *text);
void pen_text(struct pen *pen, enum paint paint, const char *text);
void pen_printf(struct pen *pen, enum paint paint, const char *format, ...) PRINTF_LIKE(3, 4);

/* Bytes from outside. */
void pen_outside(struct pen *pen, enum paint paint, const char *text);

/* The same, cut in the middle: names that begin alike differ in their ends. */
void pen_ends(struct pen *pen, enum paint paint, const char *text);

void pen_blanks(struct pen *pen, enum paint paint, int count);

/* Blanks up to the end. */
void pen_fill(struct pen *pen, enum paint paint);
