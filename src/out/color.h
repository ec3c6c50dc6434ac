/* SPDX-License-Identifier: MIT */
/* Colour: whether to use it, and which words have one. What it says is always in the text too. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

enum color_when {
    COLOR_AUTO,
    COLOR_ALWAYS,
    COLOR_NEVER,
};

/* All that the decision depends on; variables that are not set are NULL. */
struct color_inputs {
    enum color_when when;
    bool is_terminal; /* of the output */
    const char *no_color, *clicolor, *clicolor_force, *term;
};

/* auto, always, never; -EINVAL for other words. */
int color_when_parse(const char *word, enum color_when *ret_when) MUST_CHECK;

/* The option decides; else NO_COLOR (not empty), CLICOLOR_FORCE (not 0), CLICOLOR=0, TERM=dumb, in
 * this order; else whether it is a terminal. */
bool color_decide(const struct color_inputs *inputs);

#define COLOR_RESET "\033[0m"
#define COLOR_HEADER "\033[1m"
#define COLOR_NEW "\033[32m"
#define COLOR_CHANGED "\033[33m"
#define COLOR_GONE "\033[2m"
#define COLOR_SICK "\033[31m"

/* How a word out of a fixed set (a state) is shown, or NULL. */
const char *color_of_word(const char *word, size_t length);
