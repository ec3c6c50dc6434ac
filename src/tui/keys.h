/* SPDX-License-Identifier: MIT */
/* Keys: the one table that says which key does what; the help screen and the manual come from it.
 */
#pragma once

#include <stdint.h>

/* Keys that are no characters; a character is its Unicode code point. */
enum tui_key {
    TUI_KEY_NONE = 0x200000,
    TUI_KEY_UP,
    TUI_KEY_DOWN,
    TUI_KEY_LEFT,
    TUI_KEY_RIGHT,
    TUI_KEY_PAGE_UP,
    TUI_KEY_PAGE_DOWN,
    TUI_KEY_HOME,
    TUI_KEY_END,
    TUI_KEY_ENTER,
    TUI_KEY_ESCAPE,
    TUI_KEY_BACKSPACE,
    TUI_KEY_DELETE,
    TUI_KEY_F1,
    TUI_KEY_F5,
    TUI_KEY_F10,
    TUI_KEY_MOUSE,
    TUI_KEY_RESIZE,
    TUI_KEY_END_OF_INPUT, /* the terminal is gone */
};

#define TUI_CONTROL(letter) ((letter)&0x1f)

enum tui_action {
    ACTION_NONE,
    ACTION_UP,
    ACTION_DOWN,
    ACTION_PAGE_UP,
    ACTION_PAGE_DOWN,
    ACTION_FIRST,
    ACTION_LAST,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_OPEN,
    ACTION_BACK,
    ACTION_GROUPING, /* the digit says which */
    ACTION_NEXT_GROUPING,
    ACTION_WINDOW,
    ACTION_SORT_LEFT,
    ACTION_SORT_RIGHT,
    ACTION_SORT_ASK,
    ACTION_REVERSE,
    ACTION_FILTER,
    ACTION_LOOPBACK,
    ACTION_PAUSE,
    ACTION_FREEZE,
    ACTION_RATE_UNIT,
    ACTION_TOTAL_UNIT,
    ACTION_ZERO,
    ACTION_STEP_BACK,
    ACTION_STEP,
    ACTION_LEAP_BACK,
    ACTION_LEAP,
    ACTION_TO_BEGINNING,
    ACTION_TO_END,
    ACTION_TO_TIME,
    ACTION_SLOWER,
    ACTION_FASTER,
    ACTION_COMMAND,
    ACTION_DESTROY,
    ACTION_TERMINATE,
    ACTION_MOUSE,
    ACTION_REFRESH,
    ACTION_REDRAW,
    ACTION_HELP,
    ACTION_QUIT,
};

struct tui_binding {
    uint32_t keys[4]; /* the last ones 0 */
    enum tui_action action;
    const char *name; /* of the keys, as people write them */
    const char *help; /* what they do, without a full stop */
};

/* Ends with one of ACTION_NONE. */
extern const struct tui_binding tui_bindings[];

enum tui_action tui_action_of(uint32_t key);

/* What an action is for. */
enum tui_mode {
    MODE_ANY,
    MODE_PRESENT,
    MODE_PAST,
};

enum tui_mode tui_mode_of(enum tui_action action);
