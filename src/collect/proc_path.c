/* SPDX-License-Identifier: MIT */
/* Where a file of /proc is: the kernel's own, or one that is read in its place. */
#include "collect/proc_path.h"

#include <stdio.h>
#include <string.h>

/* /proc/net is that of the first thread, which stays in its namespace. */
static const char *kernels_directory(const char *name)
{
    return strncmp(name, "net/", strlen("net/")) == 0 ? "/proc/thread-self/" : "/proc/";
}

static int print(char *path, size_t size, const char *directory, const char *between,
                 const char *name)
{
    int length = snprintf(path, size, "%s%s%s", directory, between, name);

    return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int proc_path(const struct request_files *files, const char *name, char *path, size_t size)
{
    for (uint32_t i = 0; files && i < files->replaced_count; i++)
        if (strcmp(files->replaced[i].name, name) == 0)
            return print(path, size, files->replaced[i].path, "", "");
    if (files && files->proc)
        return print(path, size, files->proc, "/", name);
    return print(path, size, kernels_directory(name), "", name);
}
