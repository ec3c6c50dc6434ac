/* SPDX-License-Identifier: MIT */
/* Doubts: traffic of processes that ended before what a question asks of them could be read. */
#pragma once

#include "table/group.h"

struct flow_doubt {
    uint64_t facts;     /* enum need: those that nobody knows */
    uint64_t bytes;     /* payload both ways, since it is counted */
    uint32_t processes; /* at least, where some of them are not listed any more */
    bool at_least;
};

struct flow_doubts {
    struct flow_doubt unmatched; /* the filter may be true of it or not */
    struct flow_doubt unnamed;   /* it is in the group of those without a name */
};

/* About the rows of a query of flows, grouped by the keys of the plan (NULL: they are not). 0 or
 * -ENOMEM. */
int flow_doubts_find(const struct view *view, const struct query *rows,
                     const struct group_plan *plan, struct flow_doubts *ret_doubts) MUST_CHECK;

/* "3 processes ended before their command line could be read: 1.2M may belong here or not".
 * Nothing without a doubt. */
void flow_doubts_write_unmatched(const struct flow_doubts *doubts, struct buf *out);
void flow_doubts_write_unnamed(const struct flow_doubts *doubts, struct buf *out);
