/* SPDX-License-Identifier: MIT */
/* Subjects of `nwho history`: traffic in groups, interfaces, states. */
#include "cli/history_subject.h"

#include "model/state_count.h"
#include "table/flow_groups.h"

#include <string.h>

static int plan_rows(struct session *session, struct query *rows, const struct table *table,
                     const char *usual)
{
    int r;

    rows->table = table;
    r = session_filter(session, rows, NULL);
    if (r == 0)
        r = session_columns(session, rows, usual);
    return r == 0 ? session_plan(session, rows) : r;
}

/* --- traffic --- */

/* Sockets and threads are not told apart in what is recorded. */
int history_check_by(const char *by)
{
    if (!by || !(strstr(by, "conn") || strstr(by, "thread") || strstr(by, "tid")))
        return 0;
    return command_error("threads and connections are not recorded one by one: --by process, peer, "
                         "port, user, unit, container, netns, iface or state");
}

static int plan_flows(struct session *session, struct query *rows, struct query *groups,
                      struct group_plan *by)
{
    int r = history_check_by(session->options->by);

    if (r == 0)
        r = session_plan_groups(session, by);
    if (r != 0)
        return r;
    flow_group_past(by);
    rows->table = &table_flows;
    groups->table = &by->table;
    session->groups = groups;
    r = session_filter(session, rows, NULL);
    if (r == 0)
        r = session_split_filter(session, groups);
    if (r == 0)
        r = session_columns(session, groups, NULL);
    if (r != 0)
        return r;
    flow_group_sort(groups);
    if (groups->sort_count < ARRAY_SIZE(groups->sort)) /* so that it is known, for trends */
        groups->sort[groups->sort_count++] =
            (struct sort_key){.column = table_column(groups->table, "bytes"), .descending = true};
    flow_group_keys(by, rows);
    r = session_plan(session, rows);
    return r == 0 ? session_plan_also(session, groups) : r;
}

unsigned int history_flow_parts(const struct session *session)
{
    return session->request.needs & NEED_ENDS ? STORE_PEERS : STORE_PROCESSES;
}

static uint64_t bytes_of_group(const struct view *view, uint32_t row)
{
    return group_number(view->group, row, "bytes").number;
}

/* --- interfaces --- */

static int plan_interfaces(struct session *session, struct query *rows, struct query *groups,
                           struct group_plan *by)
{
    static const char usual[] =
        "iface,netns,rx_rate,tx_rate,rx_bytes,tx_bytes,rx_packets,tx_packets,rx_errors,tx_errors,"
        "rx_dropped,tx_dropped";
    static const char *const most[] = {"rx_bytes", "tx_bytes"};
    int r;

    (void)groups;
    (void)by;
    if (session->options->format != FORMAT_TEXT && !session->options->columns)
        rows->columns[rows->column_count++] = table_column(&table_interfaces, "time");
    r = plan_rows(session, rows, &table_interfaces, usual);
    for (size_t i = 0; i < ARRAY_SIZE(most) && !session->options->sort; i++)
        rows->sort[rows->sort_count++] = (struct sort_key){
            .column = table_column(&table_interfaces, most[i]), .descending = true};
    session->request.needs |= NEED_LINKS;
    return r;
}

static unsigned int interface_parts(const struct session *session)
{
    (void)session;
    return STORE_INTERFACES;
}

static int adopt_zeros(struct session *session, const struct store_answer *answer)
{
    const struct snapshot *now = &answer->snapshot;
    struct snapshot before;
    int r = snapshot_init(&before);

    before.time_ns = now->time_ns - answer->interface_measured_ns;
    before.boot_ns = now->boot_ns - answer->interface_measured_ns;
    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++) {
        const struct interface *interface = &now->interfaces[i];
        uint32_t netns = 0;
        size_t length;

        r = snapshot_add_netns(&before, now->netns[interface->netns].inode, &netns);
        if (r == 0)
            r = snapshot_add_interface(&before, netns, interface->ifindex,
                                       snapshot_string(now, interface->name, &length));
        if (r == 0)
            before.interfaces[before.interfaces_count - 1].has = interface->has;
    }
    if (r < 0) {
        snapshot_done(&before);
        return command_error("out of memory");
    }
    return session_adopt_reading(session, &before);
}

static uint64_t bytes_of_interface(const struct view *view, uint32_t row)
{
    const struct link_stats *stats = &view->snapshot->interfaces[row].stats;

    return stats->rx_bytes + stats->tx_bytes;
}

/* --- states --- */

static int plan_states(struct session *session, struct query *rows, struct query *groups,
                       struct group_plan *by)
{
    int r = plan_rows(session, rows, &table_states, NULL);

    (void)groups;
    (void)by;
    if (r == 0 && !rows->sort_count)
        rows->sort[rows->sort_count++] =
            (struct sort_key){.column = table_column(&table_states, "mean"), .descending = true};
    return r;
}

/* How long was measured is told by interfaces, which every tick has. */
static unsigned int state_parts(const struct session *session)
{
    (void)session;
    return STORE_STATES | STORE_INTERFACES;
}

static uint64_t most_sockets(const struct view *view, uint32_t row)
{
    return view->states[row].max;
}

static const struct history_subject subjects[] = {
    {"iface", plan_interfaces, interface_parts, adopt_zeros, bytes_of_interface, false},
    {"state", plan_states, state_parts, NULL, most_sockets, false},
    {NULL, plan_flows, history_flow_parts, NULL, bytes_of_group, true},
};

const struct history_subject *history_subject_find(const char *by)
{
    const struct history_subject *subject = subjects;

    while (subject->word && !(by && strcmp(by, subject->word) == 0))
        subject++;
    return subject;
}
