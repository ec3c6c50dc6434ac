/* SPDX-License-Identifier: MIT */
/* How full the table of tracked connections is, in the namespace of the calling thread. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

/* 0; or -errno: -ENOENT where nf_conntrack is not loaded. */
int conntrack_entries(uint64_t *ret_entries) MUST_CHECK;
/* The same; 0: there is no limit. */
int conntrack_entries_limit(uint64_t *ret_limit) MUST_CHECK;
