/* SPDX-License-Identifier: MIT */
/* Topics of nwho help that nwho-lite has not: most are nothing but text. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* A paragraph, or where it has a label, a word and what it means. */
struct help_line {
    const char *label; /* NULL: none */
    const char *text;
};

struct help_topic {
    const char *name;
    const struct help_line *lines; /* ends with a line that has no text; NULL: */
    void (*put)(struct buf *out);  /* what puts it together */
};

extern const struct help_topic help_topics[];
extern const uint32_t help_topic_count;

void help_put_topic(const struct help_topic *topic, struct buf *out);
