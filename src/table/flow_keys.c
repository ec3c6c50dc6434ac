/* SPDX-License-Identifier: MIT */
/* Which process, and which socket, a flow is of. */
#include "table/flow_keys.h"

#include "base/hash.h"
#include "table/cells.h"

/* Sums of processes that have ended: of each program, user, control group and namespace. */
static uint64_t ended_key(const struct view *view, const struct flow *flow)
{
    const struct snapshot *snapshot = view->snapshot;
    uint64_t hash = hash_number(hash_number(HASH_INIT, flow->uid), flow->cgroup_id);
    size_t length;
    const char *comm = snapshot_string(snapshot, flow->comm, &length);

    if (flow->netns < snapshot->netns_count)
        hash = hash_number(hash, snapshot->netns[flow->netns].inode);
    return hash_bytes(hash, comm, length);
}

/* A pid may be given again: pid and start time are one process. */
struct value flow_process_key(const struct view *view, uint32_t row)
{
    const struct flow *flow = &view->snapshot->flows[row];

    if (flow->flags & FLOW_OTHER)
        return value_uint(UINT64_MAX);
    if (!flow->pid && flow->flags & FLOW_EXITED)
        return value_uint(ended_key(view, flow));
    return value_uint((uint64_t)flow->pid << 40 ^ flow->start_ticks);
}

/* What was recorded has identities: programs that one process ran one after the other are two. */
struct value flow_past_process_key(const struct view *view, uint32_t row)
{
    const struct flow *flow = &view->snapshot->flows[row];
    const struct snapshot *snapshot = view->snapshot;
    const struct process *process;
    uint64_t hash = HASH_INIT;

    if (!flow->process)
        return value_uint(flow->flags & FLOW_OTHER ? UINT64_MAX : 0);
    process = &snapshot->processes[flow->process - 1];
    for (size_t i = 0; i < 3; i++) {
        const uint32_t strings[] = {process->comm, process->exe, process->cgroup};
        size_t length;
        const char *bytes = snapshot_string(snapshot, strings[i], &length);

        hash = hash_bytes(hash_number(hash, length), bytes, length);
    }
    hash = hash_number(hash, process->uid);
    return value_uint(hash_number(hash, snapshot->netns[flow->netns].inode));
}

/* Of what has no socket any more: the flow itself. */
struct value flow_socket_key(const struct view *view, uint32_t row)
{
    const struct flow *flow = &view->snapshot->flows[row];

    return value_uint(flow->cookie ? flow->cookie : UINT64_C(1) << 63 | flow->id);
}

struct value flow_conn_key(const struct view *view, uint32_t row)
{
    const struct flow *flow = &view->snapshot->flows[row];

    if (!(flow->flags & FLOW_PEER))
        return flow_socket_key(view, row);
    buf_reset(view->scratch);
    buf_put(view->scratch, &flow->cookie, sizeof(flow->cookie));
    buf_put(view->scratch, &flow->peer, sizeof(flow->peer));
    buf_put(view->scratch, &flow->peer_port, sizeof(flow->peer_port));
    return cell_scratch(view, 0);
}
