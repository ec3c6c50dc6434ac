/* SPDX-License-Identifier: MIT */
/* ss -E: sockets as the kernel tells that they are gone (since 4.3). */
#pragma once

#include "compat/ss_filter.h"

/* What the kernel is to tell of, as bits of netlink groups. -EINVAL: it tells of none of that. */
int ss_events_groups(const struct ss_selection *selection, uint32_t *ret_groups) MUST_CHECK;

/* Shows them as they go, and ends only by -errno. */
int ss_events(const struct ss_options *options, const struct ss_filter *filter, uint32_t groups)
    MUST_CHECK;
