/* SPDX-License-Identifier: MIT */
/* Network namespaces: which there are, which the request asks about, and how to work inside one. */
#pragma once

#include "collect/source.h"

/*
 * Lists the namespaces of the machine (only the own one and that of process 1 when no more are
 * asked for) into the snapshot and marks those to be read. The own one is the first. Opens
 * collection->own_netns when it is -1; the owner of the collection closes it. -ENOMEM or 0.
 */
int netns_discover(struct collection *collection) MUST_CHECK;

/* Whether the machine has, as far as can be seen, other network namespaces than the own one. */
bool netns_has_others(void);

/*
 * Calls `fn` once for each namespace to be read, with the calling thread inside it, and comes
 * back. A namespace that cannot be entered leaves a note. The first negative return of `fn` ends
 * the walk and is returned.
 */
int netns_for_each(struct collection *collection,
                   int (*fn)(struct collection *collection, uint32_t netns)) MUST_CHECK;

/*
 * Calls `fn` once inside the first namespace of the machine, whether or not it is to be read; where
 * that cannot be told or entered, in the own one.
 */
int netns_for_first(struct collection *collection,
                    int (*fn)(struct collection *collection, uint32_t netns)) MUST_CHECK;

/*
 * As netns_for_each(), when all is collected: calls `fn` inside each namespace that was read. A
 * namespace that cannot be entered (any more) leaves a note.
 */
int netns_visit(struct snapshot *snapshot, int (*fn)(void *context, uint32_t netns), void *context)
    MUST_CHECK;

/*
 * What a user calls a namespace: a name in /run/netns, "init" as we call the one of process 1, a
 * path (with a slash), a pid, or an inode number. -ENOENT: no such name or file; -ESRCH: no such
 * process, or nothing refers to that inode; -EACCES: the process, or some that could be in that
 * namespace, do not show theirs to us; -EINVAL: a file that is no network namespace.
 */
int netns_parse(const char *text, uint32_t *ret_inode) MUST_CHECK;
