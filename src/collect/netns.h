/* SPDX-License-Identifier: MIT */
/* Network namespaces: which there are, which the request asks about, and how to work inside one. */
#pragma once

#include "collect/source.h"

/* Lists the namespaces of the machine (only the own one when no more are asked for) into the
 * snapshot and marks those to be read. -ENOMEM or 0. */
int netns_discover(struct collection *collection) MUST_CHECK;

/*
 * Calls `fn` once for each namespace to be read, with the calling thread inside it, and comes back.
 * A namespace that cannot be entered leaves a note. The first negative return of `fn` ends the walk
 * and is returned.
 */
int netns_for_each(struct collection *collection,
                   int (*fn)(struct collection *collection, uint32_t netns)) MUST_CHECK;
