/* SPDX-License-Identifier: MIT */
/* SVG: lines over a time, with axes and a legend, in one file that needs nothing else. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* What has no colour of its own left is not drawn. */
#define SVG_LINES_MAX 8

struct svg_line {
    const char *name; /* of `length` bytes, as they came */
    size_t length;
    const uint64_t *bytes; /* in each piece of the time */
    uint64_t total;
};

struct svg_mark {
    uint64_t time_ns;
    const char *text; /* as it came */
    size_t length;
};

struct svg_chart {
    const char *title;           /* nothing of others is in it */
    uint64_t since_ns, until_ns; /* CLOCK_REALTIME */
    uint64_t every_ns;           /* length of a piece; the last one may be shorter */
    uint32_t pieces;
    const struct svg_line *lines; /* the first is drawn on top */
    uint32_t count;               /* at most SVG_LINES_MAX */
    const uint64_t *measured_ns;  /* of each piece; NULL: all of it. A line has a gap where it is 0
                                   */
    const struct svg_mark *marks; /* thin lines across */
    uint32_t mark_count;
};

/* Rates in bits a second. 0, or the error of `out`. */
int svg_write(const struct svg_chart *chart, struct buf *out) MUST_CHECK;
