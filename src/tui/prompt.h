/* SPDX-License-Identifier: MIT */
/* Prompt: one line that is edited at the bottom of the screen. */
#pragma once

#include "tui/terminal.h"
#include "tui/tui.h"

struct prompt {
    const char *label;
    char text[TUI_FILTER_MAX]; /* UTF-8 */
    uint32_t length, cursor;   /* bytes */
    bool selected;             /* the whole text: what is typed stands in its place */
    char message[256];         /* below it: what is wrong, or a hint */
    bool is_error;
    uint32_t at, error_length; /* bytes of the text that are wrong; a caret stands below them */
};

enum prompt_result {
    PROMPT_GOES_ON,
    PROMPT_DONE,
    PROMPT_CANCELLED,
};

void prompt_begin(struct prompt *prompt, const char *label, const char *text, const char *hint);
enum prompt_result prompt_key(struct prompt *prompt, uint32_t key);

/* What is wrong with the text; it is edited further. */
void prompt_error(struct prompt *prompt, uint32_t at, uint32_t length, const char *message);

/* Two lines from `line` on, the second one with the message. Where the cursor is goes into *ret_*.
 */
void prompt_draw(const struct prompt *prompt, const struct terminal *terminal, int line,
                 int *ret_row, int *ret_column);
