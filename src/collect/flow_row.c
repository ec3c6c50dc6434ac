/* SPDX-License-Identifier: MIT */
/* Flow row: an entry of the flow table as a flow of a snapshot. */
#include "collect/flow_row.h"

#include <errno.h>
#include <string.h>

static void write_windows(const struct flow_windows *windows, const struct flow_entry *entry,
                          struct flow *flow)
{
    const struct flow_history *history = flow_entries_history(windows->entries, entry);

    flow->window[FLOW_LAST] = entry->last;
    if (!history)
        return;
    for (int i = FLOW_2S; i <= FLOW_10S; i++)
        flow->window[i] = bins_window(&history->seconds, windows->seconds, &windows->of[i]);
    for (int i = FLOW_40S; i <= FLOW_60S; i++)
        flow->window[i] = bins_window(&history->tens, windows->tens, &windows->of[i]);
}

int flow_row_write(const struct flow_windows *windows, const struct flow_entry *entry,
                   struct snapshot *snapshot)
{
    const struct flow_report *facts = &entry->facts;
    struct flow *flow;
    uint32_t netns, comm;
    int r =
        snapshot_intern(snapshot, facts->comm, strnlen(facts->comm, sizeof(facts->comm)), &comm);

    if (r == 0)
        r = snapshot_add_netns(snapshot, facts->netns, &netns);
    if (r < 0)
        return r;
    flow = snapshot_add_flow(snapshot);
    if (!flow)
        return -ENOMEM;
    *flow = (struct flow){
        .id = entry->id,
        .cookie = facts->cookie,
        .cgroup_id = facts->cgroup_id,
        .first_ns = entry->first_ns,
        .last_ns = entry->last_ns,
        .total = entry->shown,
        .wire = entry->wire,
        .wire_last = entry->wire_last,
        .rx_calls = entry->rx_calls,
        .tx_calls = entry->tx_calls,
        .start_ticks = facts->start_ticks,
        .pid = facts->pid,
        .tid = facts->tid,
        .ppid = facts->ppid,
        .uid = facts->uid,
        .comm = comm,
        .netns = netns,
        .ifindex = facts->ifindex,
        .flags = facts->flags | entry->shown_flags,
        .sockets = entry->sockets,
        .local_port = facts->local_port,
        .peer_port = facts->peer_port,
        .proto = facts->proto,
        .family = facts->family,
        .local = facts->local,
        .peer = facts->peer,
    };
    write_windows(windows, entry, flow);
    return 0;
}
