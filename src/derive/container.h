/* SPDX-License-Identifier: MIT */
/* Containers of a snapshot: which one an id means. */
#pragma once

#include "model/snapshot.h"

/*
 * The network namespace (an index) of the container with this id or name, else of the one whose id
 * begins so, by the cgroup paths of its processes. 0; -ENOENT: there is none; -EEXIST: several
 * begin so and are in different namespaces.
 */
int container_netns(const struct snapshot *snapshot, const char *id, uint32_t *ret_netns)
    MUST_CHECK;
