/* SPDX-License-Identifier: MIT */
/* Accounting: the ladder of sources, and the flows that they report. */
#include "collect/accounting.h"

#include "collect/fd_table.h"
#include "collect/flow_interfaces.h"
#include "collect/process_memory.h"
#include "collect/traffic_source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Flows listed; each takes about 600 bytes here and 200 in a snapshot. */
#define FLOWS_MAX 16384

static const struct traffic_source *const ladder[] = {
#if HAVE_BPF
    &traffic_source_bpf,
#endif
    &traffic_source_diag,
};

/* Why a step of the ladder is not used. */
struct failure {
    int error; /* 0: it was not tried */
    char why[256];
};

struct accounting {
    const struct traffic_source *source; /* NULL: interfaces alone */
    void *state;                         /* of the source */
    struct flow_table *flows;
    struct process_memory *processes;
    struct failure failures[ARRAY_SIZE(ladder)];
    struct request request; /* of the opening */
    uint32_t step;          /* of the ladder */
};

static uint64_t boot_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Takes the first step that holds, from accounting->step on. */
static int climb_down(struct accounting *accounting)
{
    accounting->source = NULL;
    for (; accounting->step < ARRAY_SIZE(ladder); accounting->step++) {
        const struct traffic_source *source = ladder[accounting->step];
        struct failure *failure = &accounting->failures[accounting->step];

        if (source->source && !(accounting->request.sources & source->source))
            continue;
        failure->error = source->open(&accounting->request, boot_ns(), &accounting->state,
                                      failure->why, sizeof(failure->why));
        if (failure->error == 0) {
            accounting->source = source;
            return 0;
        }
    }
    return 0;
}

int accounting_open(const struct request *request, struct accounting **ret_accounting)
{
    struct accounting *accounting = calloc(1, sizeof(*accounting));

    if (!accounting)
        return -ENOMEM;
    accounting->request = *request;
    accounting->flows = flow_table_new(FLOWS_MAX, boot_ns());
    accounting->processes = process_memory_new();
    if (!accounting->flows || !accounting->processes || climb_down(accounting) < 0) {
        accounting_close(accounting);
        return -ENOMEM;
    }
    *ret_accounting = accounting;
    return 0;
}

void accounting_close(struct accounting *accounting)
{
    if (!accounting)
        return;
    if (accounting->source)
        accounting->source->close(accounting->state);
    flow_table_free(accounting->flows);
    process_memory_free(accounting->processes);
    free(accounting);
}

int accounting_fd(const struct accounting *accounting)
{
    return accounting->source ? accounting->source->fd(accounting->state) : -1;
}

uint64_t accounting_needs(const struct accounting *accounting)
{
    return NEED_ADDRESSES | (accounting->source ? accounting->source->needs : 0);
}

/* A source that worked until now. */
static int give_up(struct accounting *accounting, int error)
{
    struct failure *failure = &accounting->failures[accounting->step];

    if (error == -ENOMEM)
        return error;
    accounting->source->close(accounting->state);
    failure->error = error;
    snprintf(failure->why, sizeof(failure->why), "stopped: %s", strerror(-error));
    accounting->step++;
    return climb_down(accounting);
}

int accounting_drain(struct accounting *accounting)
{
    int r = accounting->source ? accounting->source->drain(accounting->state) : 0;

    return r < 0 ? give_up(accounting, r) : 0;
}

static void note_failures(const struct accounting *accounting, struct snapshot *snapshot)
{
    for (size_t i = 0; i < ARRAY_SIZE(ladder); i++)
        if (accounting->failures[i].error)
            snapshot_note(snapshot, NOTE_DETAIL, ladder[i]->name, accounting->failures[i].error,
                          "%s", accounting->failures[i].why);
}

static int name_process(struct snapshot *snapshot, int proc, const struct flow *flow)
{
    struct process *process = &snapshot->processes[flow->process - 1];
    uint32_t index;
    int r = 0;

    if (!(process->flags & PROCESS_GONE) && proc >= 0)
        r = process_add_named(snapshot, proc, process->pid, &index);
    /* It has ended; its first thread has the name of the whole. */
    if (!(process->has & PROCESS_HAS_COMM) && flow->tid == flow->pid) {
        process->comm = flow->comm;
        process->has |= PROCESS_HAS_COMM;
    }
    return r;
}

static int link_process(struct snapshot *snapshot, struct flow *flow)
{
    struct process *process;
    uint32_t index;
    int r = snapshot_add_process(snapshot, flow->pid, &index);

    if (r < 0)
        return r;
    process = &snapshot->processes[index];
    if (flow->start_ticks && !(process->has & PROCESS_HAS_START)) {
        process->start_ticks = flow->start_ticks;
        process->has |= PROCESS_HAS_START;
    }
    /* Of two processes that had one pid, one after the other, only one is in the snapshot. */
    if (!flow->start_ticks || process->start_ticks == flow->start_ticks)
        flow->process = index + 1;
    return 0;
}

static int link_processes(struct accounting *accounting, struct snapshot *snapshot)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = 0;

    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++)
        if (snapshot->flows[i].pid)
            r = link_process(snapshot, &snapshot->flows[i]);
    if (r == 0)
        r = process_memory_recall(accounting->processes, snapshot);
    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++)
        if (snapshot->flows[i].process)
            r = name_process(snapshot, proc, &snapshot->flows[i]);
    return r;
}

int accounting_read(struct accounting *accounting, struct collection *collection)
{
    struct snapshot *snapshot = collection->snapshot;
    uint64_t now_ns = boot_ns();
    int r = 0;

    while (accounting->source && (r = accounting->source->read(accounting->state, accounting->flows,
                                                               collection, now_ns)) < 0) {
        r = give_up(accounting, r);
        if (r < 0)
            return r;
    }
    snapshot->accounting =
        accounting->source ? accounting->source->level : (uint32_t)ACCOUNTING_INTERFACES;
    note_failures(accounting, snapshot);
    r = flow_table_advance(accounting->flows, now_ns);
    if (r == 0)
        r = flow_table_write(accounting->flows, snapshot);
    return r < 0 ? r : link_processes(accounting, snapshot);
}

int accounting_finish(struct accounting *accounting, struct collection *collection)
{
    struct snapshot *snapshot = collection->snapshot;
    int r;

    for (uint32_t i = 0; i < snapshot->flows_count; i++) {
        struct flow *flow = &snapshot->flows[i];

        if (!flow->process || !(snapshot->processes[flow->process - 1].flags & PROCESS_GONE) ||
            flow->flags & FLOW_EXITED)
            continue;
        flow->flags |= FLOW_EXITED;
        flow_table_exit(accounting->flows, flow->pid, flow->start_ticks, snapshot->boot_ns);
    }
    r = flow_interfaces(snapshot);
    return r < 0 ? r : process_memory_keep(accounting->processes, snapshot);
}
