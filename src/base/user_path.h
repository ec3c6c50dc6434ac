/* SPDX-License-Identifier: MIT */
/* Where files of a user are (the XDG base directories). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of "nwho/FILE" in the directory that the environment variable names, else in `usual` of
 * the home directory. False: there is neither, or it is too long.
 */
bool user_path(const char *variable, const char *usual, const char *file, char *path, size_t size);

/* The directories above it, where they are missing. That one cannot be made shows when the file is
 * written. */
void user_path_make(const char *path);
