/* SPDX-License-Identifier: MIT */
/* Colour: the decision, and the words. */
#include "out/color.h"

#include <errno.h>
#include <string.h>

int color_when_parse(const char *word, enum color_when *ret_when)
{
    static const char *const words[] = {
        [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret_when = (enum color_when)i;
            return 0;
        }
    }
    return -EINVAL;
}

static bool is_set(const char *variable)
{
    return variable && *variable;
}

static bool is_word(const char *variable, const char *word)
{
    return variable && strcmp(variable, word) == 0;
}

bool color_decide(const struct color_inputs *inputs)
{
    if (inputs->when != COLOR_AUTO)
        return inputs->when == COLOR_ALWAYS;
    if (is_set(inputs->no_color))
        return false;
    if (is_set(inputs->clicolor_force) && !is_word(inputs->clicolor_force, "0"))
        return true;
    if (is_word(inputs->clicolor, "0") || is_word(inputs->term, "dumb"))
        return false;
    return inputs->is_terminal;
}

const char *color_of_word(const char *word, size_t length)
{
    static const struct {
        const char *word, *color;
    } words[] = {
        {"established", "\033[32m"}, {"listening", "\033[36m"},      {"syn-sent", "\033[33m"},
        {"syn-recv", "\033[33m"},    {"close-wait", COLOR_SICK},     {"last-ack", "\033[33m"},
        {"time-wait", "\033[2m"},    {"bound-inactive", "\033[33m"}, {"fin-wait-1", "\033[33m"},
        {"fin-wait-2", "\033[2m"},   {"closing", "\033[33m"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strlen(words[i].word) == length && memcmp(words[i].word, word, length) == 0)
            return words[i].color;
    }
    return NULL;
}
