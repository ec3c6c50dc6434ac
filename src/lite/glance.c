/* SPDX-License-Identifier: MIT */
/* nwho-lite has no doctor to glance at all connections for: in place of bpf/glance.c,
 * collect/tcp_table.c and collect/tasks.c. */
#include "bpf/iterator_load.h"
#include "collect/tasks.h"
#include "collect/tcp_table.h"

int glance_load(struct iterator *ret_iterator)
{
    (void)ret_iterator;
    return -EOPNOTSUPP;
}

void glance_close(const struct iterator *iterator)
{
    (void)iterator;
}

bool tcp_table_suits(const struct request *request)
{
    (void)request;
    return false;
}

int tcp_table_read(struct bpf_pass *pass, const struct socket_records *records)
{
    (void)pass;
    (void)records;
    return -EOPNOTSUPP;
}

int tasks_read(struct collection *collection, netns_sighting_fn *fn, void *context)
{
    (void)collection;
    (void)fn;
    (void)context;
    return -EOPNOTSUPP;
}
