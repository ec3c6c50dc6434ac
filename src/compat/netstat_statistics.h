/* SPDX-License-Identifier: MIT */
/* netstat -s: how a counter is worded. */
#pragma once

#include <stddef.h>

enum netstat_line_show {
    NETSTAT_LINE_ALWAYS,
    NETSTAT_LINE_NONZERO,
    NETSTAT_LINE_INPUT,  /* in the histogram of ICMP messages received; unless 0 */
    NETSTAT_LINE_OUTPUT, /* the same of those sent */
    NETSTAT_LINE_HIDDEN, /* a setting, not a count */
};

struct netstat_line {
    const char *group; /* as in the table of counters */
    const char *label;
    const char *text; /* the number stands in the place of % */
    enum netstat_line_show show;
};

/* NULL when the real tool knows no words for it: then name and number are shown, unless 0. */
const struct netstat_line *netstat_line_of(const char *group, size_t group_length,
                                           const char *label, size_t label_length);
