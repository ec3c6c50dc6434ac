/* SPDX-License-Identifier: MIT */
/* How full the table of tracked connections is, by /proc/sys. */
#include "collect/conntrack_usage.h"

#include "collect/proc_file.h"

#include <fcntl.h>
#include <stdlib.h>

static int read_number(const char *path, uint64_t *ret_number)
{
    char text[32];
    size_t length;
    int r = proc_read(AT_FDCWD, path, text, sizeof(text), &length);

    if (r == 0)
        *ret_number = strtoull(text, NULL, 10);
    return r;
}

int conntrack_entries(uint64_t *ret_entries)
{
    return read_number("/proc/sys/net/netfilter/nf_conntrack_count", ret_entries);
}

int conntrack_entries_limit(uint64_t *ret_limit)
{
    return read_number("/proc/sys/net/netfilter/nf_conntrack_max", ret_limit);
}
