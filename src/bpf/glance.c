/* SPDX-License-Identifier: MIT */
/* Loads the walk over the table of all connections, with that over all processes. */
#include "bpf/iterator_load.h"

/* Generated; it needs the headers above. */
#include "bpf/glance.lskel.h"

int glance_load(struct iterator *ret_iterator)
{
    int r = ITERATOR_LOAD(glance_bpf, walk_tcp_table, ret_iterator);
    const struct glance_bpf *glance = ret_iterator->skeleton;

    if (r == 0) {
        ret_iterator->map_fd = glance->maps.stretches.map_fd;
        ret_iterator->tasks_fd = glance->progs.walk_tasks.prog_fd;
        ret_iterator->counts = &glance->bss->counts;
    }
    return r;
}

void glance_close(const struct iterator *iterator)
{
    glance_bpf__destroy(iterator->skeleton);
}
