/* SPDX-License-Identifier: MIT */
/* Files that environment variables of ss(8) put in the place of the kernel's. */
#pragma once

#include "model/request.h"

#define SS_FILES_MAX 13

/* Holds what request_files refers to. */
struct ss_files {
    struct request_files files;
    struct replaced_file replaced[SS_FILES_MAX];
};

/*
 * What the variables name, into *files; those of the tables in `protos` that have no file in such a
 * tree are not to be shown, and are taken out. Returns what of *files is for the request.
 */
const struct request_files *ss_files_find(struct ss_files *files, uint32_t *protos);
