/* SPDX-License-Identifier: MIT */
/* Files that environment variables of ss(8) put in the place of the kernel's. */
#pragma once

#include "model/request.h"

#include <stddef.h>

#define SS_NET_FILES_MAX 9

/* Holds what request_files refers to. */
struct ss_files {
    struct request_files files;
    struct net_file net[SS_NET_FILES_MAX];
};

/*
 * What the variables name, into *files; those of the tables in `protos` that have no file in such a
 * tree are not to be shown, and are taken out. NULL when no variable is set: the kernel is asked.
 */
const struct request_files *ss_files_find(struct ss_files *files, uint32_t *protos);

/* The file that `variable` names, or `name` below the root of /proc, which may be another one. */
void ss_file_path(const char *variable, const char *name, char *path, size_t size);
