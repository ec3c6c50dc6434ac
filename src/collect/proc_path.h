/* SPDX-License-Identifier: MIT */
/* Where a file of /proc is: the kernel's own, or one that is read in its place. */
#pragma once

#include "base/cleanup.h"
#include "model/request.h"

#include <stddef.h>

/*
 * The path of `name` ("net/snmp", "sys/net/...") for a thread that is in the network namespace
 * asked about. `files` may be NULL. 0 or -ENAMETOOLONG.
 */
int proc_path(const struct request_files *files, const char *name, char *path, size_t size)
    MUST_CHECK;
