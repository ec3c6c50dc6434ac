/* SPDX-License-Identifier: MIT */
/* What the path of a program, and what runs it, say about it. Pure. */
#pragma once

#include "model/snapshot.h"

enum program_place {
    PLACE_USUAL,
    PLACE_HOME,
    PLACE_TEMPORARY, /* anybody may write there */
};

enum program_place program_place(const char *path);

/* It was never a file, and is no runtime of containers that copied itself into memory. */
bool program_is_memory(const struct snapshot *snapshot, const struct process *process);

/* The script that an interpreter runs, with all that follows on its command line; NULL: it is
 * none, or what it runs has no name. */
const char *program_script(const char *exe, const char *cmdline);

bool program_begins_with(const char *text, const char *const *prefixes);
