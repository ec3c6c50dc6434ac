/* SPDX-License-Identifier: MIT */
/* Where network namespaces can be seen: names in /run/netns, mounted files, processes. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

/* One place that refers to a namespace. The strings are borrowed and may be NULL; pid may be 0. */
struct netns_sighting {
    uint32_t inode;
    uint32_t pid;
    const char *name;
    const char *path;
};

/* A return other than 0 ends the scan and is returned by it. */
typedef int netns_sighting_fn(void *context, const struct netns_sighting *sighting);

/* What could not be seen. */
struct netns_unseen {
    uint32_t hidden; /* processes or directories that are not for us */
    int error;       /* why others could not be looked at; 0 none */
};

/* Each of these returns 0 also where its place cannot be read, and adds that to `unseen`. */
int netns_scan_names(netns_sighting_fn *fn, void *context, struct netns_unseen *unseen) MUST_CHECK;
int netns_scan_mounts(netns_sighting_fn *fn, void *context, struct netns_unseen *unseen) MUST_CHECK;
int netns_scan_processes(netns_sighting_fn *fn, void *context, struct netns_unseen *unseen)
    MUST_CHECK;

/*
 * The namespace of process 1; where that does not show it, the machine's first one, by a thread of
 * the kernel or by what only that one has. *ret_pid: a process in it, 0 when it is known to be our
 * own. -ENOENT when it cannot be told.
 */
int netns_initial(uint32_t *ret_inode, uint32_t *ret_pid) MUST_CHECK;

/*
 * Reads one line of mountinfo in place. 0 when a network namespace is mounted there (the strings
 * then point into the line), else -EINVAL.
 */
int netns_parse_mount(char *line, struct netns_sighting *ret_sighting) MUST_CHECK;
