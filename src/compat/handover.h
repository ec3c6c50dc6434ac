/* SPDX-License-Identifier: MIT */
/* Hand-over: the command line of nwho that shows what an old tool's own screen would. */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"

#include <stdint.h>

#define HANDOVER_WORDS_MAX 64

enum handover_result {
    HANDOVER_NONE,   /* the tool is to run itself */
    HANDOVER_WORDS,  /* what the words say is to run */
    HANDOVER_FAILED, /* wrong usage, as was said: the exit status is 1 */
};

/* words[0] is the name of the command. They live until handover_done(). Zero is empty. */
struct handover {
    struct arena arena;
    char *words[HANDOVER_WORDS_MAX + 1]; /* ended by NULL */
    uint32_t count;
    int error; /* sticks: -ENOMEM, -E2BIG */
};

void handover_add(struct handover *handover, const char *word);

/* "FORMAT", made of the arguments. */
void handover_printf(struct handover *handover, const char *format, ...) PRINTF_LIKE(2, 3);

/* The words of a filter that any of `count` names passes for `column`, e.g. "iface eth0". */
void handover_any(struct handover *handover, const char *column, char *const *names,
                  uint32_t count);

/* "top --by KEY", in the namespace that the tool runs in, as it would look at nothing else. */
void handover_top(struct handover *handover, const char *by);

void handover_done(struct handover *handover);
