/* SPDX-License-Identifier: MIT */
/* Parsers of /proc/net/igmp, igmp6 and dev_mcast. Pure. */
#pragma once

#include "model/membership.h"

#include <stdbool.h>
#include <stddef.h>

/* One group as a file has it. */
struct membership_item {
    struct membership membership; /* without namespace and strings */
    const char *iface, *querier;  /* bytes in the file; querier NULL: the file has none */
    size_t iface_length, querier_length;
};

/* Gets one group; a negative return ends the parsing and is returned by it. */
typedef int membership_item_fn(void *context, const struct membership_item *item);

/*
 * Calls `fn` for each group of a C string that is such a file, in its order. Malformed lines are
 * left out. 0, or what fn returned.
 */
typedef int membership_parse_fn(const char *text, membership_item_fn *fn, void *context);

membership_parse_fn membership_parse_igmp;
membership_parse_fn membership_parse_igmp6;
membership_parse_fn membership_parse_dev;
