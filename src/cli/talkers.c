/* SPDX-License-Identifier: MIT */
/* Talkers: the table of `nwho top`, for a part of a screen. */
#include "cli/talkers.h"

#include "base/units.h"
#include "cli/show.h"
#include "table/flow_groups.h"

static int compile(struct session *session, const char *text, struct talkers *talkers)
{
    struct filter_error error;
    int r = filter_compile(&table_flows, text, &session->arena, &talkers->filter, &error);

    talkers->rows.filter = talkers->filter;
    return r;
}

int talkers_plan(struct session *session, const char *filter, uint32_t limit,
                 struct talkers *talkers)
{
    static const char *const columns[] = {"pid",      "process",     "user",
                                          "rx_rate",  "tx_rate",     "rx_bytes",
                                          "tx_bytes", "connections", "top_peer"};
    struct buf error = BUF_INIT;
    int r = compile(session, filter, talkers);

    if (r == -EINVAL)
        return 0;
    if (r == 0)
        r = flow_group_plan("process", &talkers->plan, &error);
    buf_done(&error);
    if (r < 0)
        return command_error("out of memory");
    talkers->planned = true;
    talkers->rows.table = &table_flows;
    talkers->groups.table = &talkers->plan.table;
    talkers->groups.limit = limit;
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        talkers->groups.columns[talkers->groups.column_count++] =
            table_column(talkers->groups.table, columns[i]);
    flow_group_sort(&talkers->groups);
    flow_group_keys(&talkers->plan, &talkers->rows);
    session->request.needs |= NEED_WINDOW;
    r = session_plan_also(session, &talkers->rows);
    return r ? r : session_plan_also(session, &talkers->groups);
}

void talkers_done(struct talkers *talkers)
{
    filter_done(talkers->filter);
    group_plan_done(&talkers->plan);
    *talkers = (struct talkers){.planned = false};
}

/* "TALKERS in 5s, exact: BPF (nwho top)" */
static void put_heading(const struct session *session, const char *name, struct buf *heading)
{
    const struct snapshot *snapshot = &session->now->snapshot;

    buf_printf(heading, "%s in ", name);
    units_write_duration(heading, snapshot->window_ns[FLOW_LAST] / 1000);
    buf_printf(heading, ", %s (nwho top)", accounting_level_label(snapshot->accounting));
}

static int write_groups(struct session *session, const struct query *query, const struct view *view,
                        const char *name, struct buf *out, uint32_t *count)
{
    struct buf heading = BUF_INIT;
    struct grid grid;
    int r = query_run(query, view, &grid);

    if (r < 0)
        return r;
    put_heading(session, name, &heading);
    r = show_grid(session, &grid, buf_string(&heading), ": none", out);
    if (r == 0)
        r = heading.error;
    buf_done(&heading);
    *count += grid.matched;
    grid_done(&grid);
    return r;
}

int talkers_write(struct session *session, const struct talkers *talkers, const char *name,
                  struct buf *out, uint32_t *count)
{
    struct view view = session->now->view;
    struct group group = {0};
    struct grid rows;
    int r;

    if (!talkers->planned)
        return 0;
    r = session_note_doubts(session, &talkers->rows, &talkers->plan);
    if (r == 0)
        r = query_run(&talkers->rows, &view, &rows);
    if (r < 0)
        return r;
    r = group_make(&talkers->plan, &rows, &group);
    grid_done(&rows);
    view.group = &group;
    if (r == 0)
        r = write_groups(session, &talkers->groups, &view, name, out, count);
    group_done(&group);
    return r;
}
