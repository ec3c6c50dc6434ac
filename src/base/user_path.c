/* SPDX-License-Identifier: MIT */
/* Paths of files of a user, by the environment. */
#include "base/user_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool user_path(const char *variable, const char *usual, const char *file, char *path, size_t size)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    int length;

    if (base && *base == '/')
        length = snprintf(path, size, "%s/nwho/%s", base, file);
    else if (home && *home == '/')
        length = snprintf(path, size, "%s/%s/nwho/%s", home, usual, file);
    else
        return false;
    return length > 0 && (size_t)length < size;
}

void user_path_make(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0755);
        *slash = '/';
    }
}
