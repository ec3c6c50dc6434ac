/* SPDX-License-Identifier: MIT */
/* nwho-lite counts no traffic: in place of collect/accounting.c and what shows flows. */
#include "cli/session.h"
#include "collect/accounting.h"
#include "table/flow_groups.h"

int accounting_open(const struct request *request, struct accounting **ret_accounting)
{
    (void)request;
    (void)ret_accounting;
    return -ENOTSUP;
}

void accounting_close(struct accounting *accounting)
{
    (void)accounting;
}

int accounting_begin(struct accounting *accounting)
{
    (void)accounting;
    return -ENOTSUP;
}

enum accounting_level accounting_level(const struct accounting *accounting)
{
    (void)accounting;
    return ACCOUNTING_NONE;
}

int accounting_fd(const struct accounting *accounting)
{
    (void)accounting;
    return -1;
}

int accounting_drain(struct accounting *accounting)
{
    (void)accounting;
    return -ENOTSUP;
}

uint64_t accounting_needs(const struct accounting *accounting)
{
    (void)accounting;
    return 0;
}

int flow_group_all(struct group_plan *plan)
{
    (void)plan;
    return -ENOTSUP;
}

/* Of rows of flows. */
int session_note_doubts(struct session *session, const struct query *rows,
                        const struct group_plan *plan)
{
    (void)session;
    (void)rows;
    (void)plan;
    return 0;
}
