/* SPDX-License-Identifier: MIT */
/* Graphs out of characters: bars, sparklines, and curves of dots. Pure: text in, no terminal. */
#pragma once

#include "base/buf.h"

/* A value that nobody knows: graph_spark() draws it as "?". */
#define GRAPH_UNKNOWN UINT64_MAX

/* Appends `columns` columns with the last values, the newest at the right, scaled to the largest of
 * them. Nothing at all is drawn as blanks. */
void graph_spark(struct buf *out, const uint64_t *values, uint32_t count, uint32_t columns,
                 bool utf8);

/* Appends a bar of value / largest of `columns` columns, padded with blanks. */
void graph_bar(struct buf *out, uint64_t value, uint64_t largest, uint32_t columns, bool utf8);

/*
 * Appends line `line` (0 is the top one) of a curve that is `lines` high. In UTF-8 a column has two
 * values (braille), else one. `largest` is the height of all lines.
 */
void graph_curve(struct buf *out, const uint64_t *values, uint32_t count, uint64_t largest,
                 uint32_t columns, uint32_t lines, uint32_t line, bool utf8);

/* The same with one value in each column, in eighths of blocks. */
void graph_blocks(struct buf *out, const uint64_t *values, uint32_t count, uint64_t largest,
                  uint32_t columns, uint32_t lines, uint32_t line, bool utf8);

uint64_t graph_largest(const uint64_t *values, uint32_t count);

/* The end of a scale that has room for `largest`: 1, 2 or 5 with zeros, 1000 at least. */
uint64_t graph_end_of_scale(uint64_t largest);
