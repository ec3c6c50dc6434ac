/* SPDX-License-Identifier: MIT */
/* Of a session that shows groups of traffic: which groups, and what of its filter is about them. */
#include "cli/session.h"

#include "table/flow_groups.h"

int session_plan_groups(struct session *session, struct group_plan *plan)
{
    const char *by = session->options->by ? session->options->by : "process";
    struct buf error = BUF_INIT;
    int r = flow_group_plan(by, plan, &error);

    if (r < 0)
        r = command_error("%s", r == -ENOMEM ? "out of memory" : buf_string(&error));
    buf_done(&error);
    session->plan = plan;
    return r;
}

int session_split_filter(struct session *session, struct query *groups)
{
    struct filter_error error;
    struct filter *split;
    int r = filter_split(session->filters[session->filter_count - 1], groups->table,
                         &session->arena, &split, &error);

    if (r < 0)
        return command_error("filter: %s", r == -EINVAL ? error.message : "out of memory");
    groups->filter = split;
    return 0;
}
