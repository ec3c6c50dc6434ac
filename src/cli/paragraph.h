/* SPDX-License-Identifier: MIT */
/* Paragraphs: text that is broken so that its lines fit, between words, or between characters of
 * scripts that are written without blanks. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* The width of lines for standard output: of the terminal, else 100. */
uint32_t paragraph_width(void);

/*
 * A paragraph whose first line begins at the column `indent`, as the other lines will. The text is
 * escaped here; a line break ends it.
 */
void paragraph_put(struct buf *out, const char *bytes, size_t length, uint32_t indent,
                   uint32_t width);

/* The same behind a word, and as far to the right. */
void paragraph_put_behind(struct buf *out, const char *word, const char *text, size_t length,
                          uint32_t width);

/* The same behind a label in a column of its own: "  cause   the other side ...". The label is
 * translated here. */
void paragraph_put_labelled(struct buf *out, const char *label, const char *text, size_t length,
                            uint32_t width);
