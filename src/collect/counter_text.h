/* SPDX-License-Identifier: MIT */
/* Parsers of the files of /proc/net that hold counters. Pure. */
#pragma once

#include "model/counter.h"

#include <stdbool.h>
#include <stddef.h>

/* One counter as a file has it. */
struct counter_item {
    const char *group; /* bytes in the file, or a constant */
    const char *label;
    size_t group_length, label_length;
    uint64_t value;
    uint32_t cpu;   /* as in struct counter */
    uint32_t flags; /* enum counter_flag */
};

/* Gets one counter; a negative return ends the parsing and is returned by it. */
typedef int counter_item_fn(void *context, const struct counter_item *item);

/*
 * Calls `fn` for each counter of a C string that is such a file, in the order of the file. Lines
 * that are malformed are left out. 0, or what fn returned.
 */
typedef int counter_parse_fn(const char *text, counter_item_fn *fn, void *context);

counter_parse_fn counter_parse_pairs;     /* snmp, netstat: a line of names, a line of values */
counter_parse_fn counter_parse_names;     /* snmp6, xfrm_stat, sctp/snmp: "Ip6InReceives 7" */
counter_parse_fn counter_parse_sockstat;  /* "TCP: inuse 1 orphan 0" */
counter_parse_fn counter_parse_softnet;   /* a line of hexadecimal numbers for each CPU */
counter_parse_fn counter_parse_conntrack; /* the same below a line of names: their sums */
