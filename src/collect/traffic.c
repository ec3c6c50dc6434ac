/* SPDX-License-Identifier: MIT */
/* Traffic: the flows that accounting counted, before and after the facts about processes. */
#include "collect/accounting.h"
#include "collect/source.h"

static int collect_traffic(struct collection *collection)
{
    struct accounting *accounting = collection->request->accounting;

    return accounting ? accounting_read(accounting, collection) : 0;
}

static int finish_traffic(struct collection *collection)
{
    struct accounting *accounting = collection->request->accounting;

    return accounting ? accounting_finish(accounting, collection) : 0;
}

const struct collector collector_traffic = {
    .name = "traffic",
    .provides = NEED_FLOWS,
    .collect = collect_traffic,
};

const struct collector collector_traffic_end = {
    .name = "traffic_end",
    .provides = NEED_FLOWS,
    .collect = finish_traffic,
};
