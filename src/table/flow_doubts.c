/* SPDX-License-Identifier: MIT */
/* Doubts: which facts of a flow's process are not known, and whether that decides anything. */
#include "table/flow_doubts.h"

#include "base/units.h"
#include "table/flow_cells.h"
#include "table/flow_keys.h"

/* Up to one without a parent; any of them may have ended without traffic. No chain is longer than
 * there are processes, unless pids were given again. */
static bool has_ancestors(const struct snapshot *snapshot, uint32_t pid)
{
    for (uint32_t steps = 0; pid && steps <= snapshot->processes_count; steps++) {
        uint32_t index = map_get(&snapshot->process_index, pid);

        if (index == MAP_NONE || !(snapshot->processes[index].has & PROCESS_HAS_PPID))
            return false;
        pid = snapshot->processes[index].ppid;
    }
    return pid == 0;
}

/* Of these facts those that are not counted together with the bytes, but read of the process
 * afterwards: it was too late. */
static uint64_t unknown_facts(const struct view *view, uint32_t row, uint64_t facts)
{
    const struct flow *flow = &view->snapshot->flows[row];
    uint32_t has = flow->process ? view->snapshot->processes[flow->process - 1].has : 0;
    uint64_t unknown = 0;

    if (!(flow->flags & FLOW_EXITED))
        return 0;
    if (facts & NEED_EXE && !(has & PROCESS_HAS_EXE))
        unknown |= NEED_EXE;
    if (facts & NEED_CMDLINE && !(has & PROCESS_HAS_CMDLINE))
        unknown |= NEED_CMDLINE;
    if (facts & NEED_CGROUP && flow_cgroup(view, row).type == VALUE_NONE)
        unknown |= NEED_CGROUP;
    if (facts & NEED_PROCESS_STAT && (!flow->pid || !has_ancestors(view->snapshot, flow->pid)))
        unknown |= NEED_PROCESS_STAT;
    return unknown;
}

static uint64_t keys_need(const struct group_plan *plan)
{
    uint64_t needs = 0;

    for (uint32_t i = 0; plan && i < plan->key_count; i++)
        needs |= plan->keys[i].column->needs;
    return needs;
}

static int add_row(const struct view *view, uint32_t row, uint64_t facts, struct map *seen,
                   struct flow_doubt *doubt)
{
    const struct flow *flow = &view->snapshot->flows[row];
    uint64_t process = flow->pid ? flow_process_key(view, row).uint : flow->id;
    uint64_t bytes = flow->total.rx_bytes + flow->total.tx_bytes;

    if (!bytes)
        return 0;
    doubt->facts |= facts;
    doubt->bytes += bytes;
    doubt->at_least |= flow->pid == 0;
    if (map_get(seen, process) != MAP_NONE)
        return 0;
    doubt->processes++;
    return map_set(seen, process, row);
}

int flow_doubts_find(const struct view *view, const struct query *rows,
                     const struct group_plan *plan, struct flow_doubts *ret_doubts)
{
    uint64_t filter_facts = rows->filter ? filter_needs(rows->filter) : 0;
    uint64_t key_facts = keys_need(plan);
    CLEANUP(map_done) struct map unmatched = {0}, unnamed = {0};
    struct flow_doubts doubts = {0};
    int r = 0;

    for (uint32_t row = 0; row < view->snapshot->flows_count && r == 0; row++) {
        uint64_t unknown = unknown_facts(view, row, filter_facts | key_facts);

        if (unknown & filter_facts && !filter_decides(rows->filter, view, row, unknown))
            r = add_row(view, row, unknown & filter_facts, &unmatched, &doubts.unmatched);
        else if (unknown & key_facts && (!rows->filter || filter_accepts(rows->filter, view, row)))
            r = add_row(view, row, unknown & key_facts, &unnamed, &doubts.unnamed);
    }
    if (r == 0)
        *ret_doubts = doubts;
    return r;
}

static void write_doubt(const struct flow_doubt *doubt, const char *consequence, struct buf *out)
{
    static const struct {
        uint64_t fact;
        const char *name;
    } names[] = {{NEED_EXE, "program"},
                 {NEED_CMDLINE, "command line"},
                 {NEED_CGROUP, "control group"},
                 {NEED_PROCESS_STAT, "parent"}};
    const char *before;

    if (!doubt->processes)
        return;
    before = doubt->processes == 1 && !doubt->at_least ? "its " : "their ";

    buf_printf(out, "%s%u process%s ended before ", doubt->at_least ? "at least " : "",
               doubt->processes, doubt->processes == 1 ? "" : "es");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (doubt->facts & names[i].fact) {
            buf_printf(out, "%s%s", before, names[i].name);
            before = " or ";
        }
    buf_puts(out, " could be read: ");
    units_write_bytes(out, doubt->bytes);
    buf_puts(out, consequence);
}

void flow_doubts_write_unmatched(const struct flow_doubts *doubts, struct buf *out)
{
    write_doubt(&doubts->unmatched, " may belong here or not", out);
}

void flow_doubts_write_unnamed(const struct flow_doubts *doubts, struct buf *out)
{
    write_doubt(&doubts->unnamed, " have no name here", out);
}
