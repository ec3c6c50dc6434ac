/* SPDX-License-Identifier: MIT */
/* Hand-over: words that are put together. */
#include "compat/handover.h"

#include "base/buf.h"

#include <stdarg.h>
#include <string.h>

void handover_add(struct handover *handover, const char *word)
{
    char *copy = arena_copy(&handover->arena, word, strlen(word));

    if (!copy)
        handover->error = -ENOMEM;
    else if (handover->count == HANDOVER_WORDS_MAX)
        handover->error = -E2BIG;
    else
        handover->words[handover->count++] = copy;
}

void handover_printf(struct handover *handover, const char *format, ...)
{
    struct buf text = BUF_INIT;
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    handover_add(handover, buf_string(&text));
    if (text.error)
        handover->error = text.error;
    buf_done(&text);
}

/* As an identifier in quotes, so that no name is a word of the language. */
static void add_condition(struct handover *handover, const char *column, const char *name)
{
    if (strpbrk(name, "\"\\")) {
        handover->error = -EINVAL;
        return;
    }
    handover_printf(handover, "%s = \"%s\"", column, name);
}

void handover_any(struct handover *handover, const char *column, char *const *names, uint32_t count)
{
    if (count > 1)
        handover_add(handover, "(");
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            handover_add(handover, "or");
        add_condition(handover, column, names[i]);
    }
    if (count > 1)
        handover_add(handover, ")");
}

void handover_top(struct handover *handover, const char *by)
{
    handover_add(handover, "top");
    handover_add(handover, "--netns=/proc/self/ns/net");
    handover_add(handover, "--by");
    handover_add(handover, by);
}

void handover_done(struct handover *handover)
{
    arena_done(&handover->arena);
}
